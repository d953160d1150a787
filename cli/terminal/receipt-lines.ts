/** Formats a task's receipt as lines for a terminal. Untrusted text goes through `plain-text.ts`. */
import { sizeText } from '../../src/lib/byte-size.ts';
import { attemptsIn, cautionAdvice, cautionClaim, needsCaution } from '../../src/core/attempts.ts';
import { failedRequestLines } from '../../src/core/failed-requests.ts';
import { setupLine } from '../../src/core/setup-view.ts';
import type { TaskView } from '../../src/core/task-view.ts';
import { bold, dim, red, yellow } from './colour.ts';
import { plain } from './plain-text.ts';

/** Warns about a run that tried to send or write where the sandbox may not; [] if it did not. */
export function cautionLines(receipt: TaskView['receipt']): string[] {
  if (!needsCaution(attemptsIn(receipt))) return [];
  return [bold(yellow(`⚠️ ${cautionClaim}.`)), yellow(`  ${cautionAdvice}`)];
}

/** Returns no lines if there was neither setup nor a request. */
export function receiptLines({ receipt, setup }: Pick<TaskView, 'receipt' | 'setup'>): string[] {
  const { hosts, denied, deniedTotal } = receipt;
  const listed = denied.reduce((sum, { count }) => sum + count, 0);
  const setupText = setupLine(setup);
  const lines = [
    ...(setupText === '' ? [] : [`  ${setupText}`]),
    ...hosts.map(
      ({ host, requests, bytesUp, bytesDown }) =>
        `  ${plain(host)}: ${requests} request${requests === 1 ? '' : 's'}, ` +
        `${sizeText(bytesUp)} sent, ${sizeText(bytesDown)} received`,
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
  return lines.length === 0 ? [] : [bold('▸ network receipt'), ...lines, ...cautionLines(receipt)];
}
