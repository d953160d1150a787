/** What a task's sandbox reached and was refused, as lines for a terminal. Text out of the sandbox goes through `plain-text.ts`. */
import { sizeText } from '../../src/lib/byte-size.ts';
import { failedRequestLines } from '../../src/core/failed-requests.ts';
import { setupLine } from '../../src/core/setup-view.ts';
import type { TaskView } from '../../src/core/task-view.ts';
import { bold, dim, red, yellow } from './colour.ts';
import { plain } from './plain-text.ts';

/** [] when there is nothing to tell: no sandbox was needed. */
export function receiptLines({ receipt, setup }: Pick<TaskView, 'receipt' | 'setup'>): string[] {
  const { hosts, denied, deniedTotal } = receipt;
  const listed = denied.reduce((sum, { count }) => sum + count, 0);
  const told = setupLine(setup);
  const lines = [
    ...(told === '' ? [] : [`  ${told}`]),
    ...hosts.map(
      ({ host, requests, bytesUp, bytesDown }) =>
        `  ${plain(host)}: ${requests} request${requests === 1 ? '' : 's'}, ${sizeText(bytesUp)} sent, ${sizeText(bytesDown)} received`,
    ),
    ...denied.flatMap(({ method, host, path, reason, count, command }) => [
      red(
        `  ⛔ ${plain(method)} ${plain(host)}${plain(path)}${count > 1 ? ` (${count} times)` : ''}: ${plain(reason)}`,
      ),
      ...(command == null ? [] : [dim(`     while this ran: ${plain(command)}`)]),
    ]),
    ...(deniedTotal > listed ? [red(`  ⛔ and ${deniedTotal - listed} more`)] : []),
    ...failedRequestLines(receipt).map((line) => yellow(`  ⚠️ ${plain(line)}`)),
  ];
  return lines.length === 0 ? [] : [bold('▸ what left the sandbox'), ...lines];
}
