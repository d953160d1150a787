/** Renders the network receipt for a pull request. The sums are in every variant. */
import { attemptsIn, type OpeningKey } from '../core/attempts.ts';
import { failedRequestLines } from '../core/failed-requests.ts';
import type { Receipt } from '../core/grant.ts';
import { codeSpan, escapeInline } from '../github/markdown.ts';
import { sizeText } from '../lib/byte-size.ts';
import { countText } from '../lib/count-text.ts';
import { joinSections } from './fit-sections.ts';

/** Rows of each table, from the fullest variant to the one with the sums alone. */
const rowLimits = [50, 15, 5, 0] as const;

export function receiptVariants(receipt: Receipt, extraHosts: readonly string[]): readonly string[] {
  return rowLimits.map((maxRows) =>
    joinSections([
      '### Network',
      reached(receipt, maxRows),
      openHosts(extraHosts, maxRows),
      blocked(receipt, maxRows),
      openable(receipt, maxRows),
      failed(receipt, maxRows),
    ]),
  );
}

function reached({ hosts }: Receipt, maxRows: number): string {
  if (hosts.length === 0) return 'The sandbox reached no host.';
  const sum = (of: (row: Receipt['hosts'][number]) => number) =>
    hosts.reduce((total, row) => total + of(row), 0);
  const sums = `${sum(({ requests }) => requests)} requests, ${sizeText(sum(({ bytesUp }) => bytesUp))} sent, ${sizeText(sum(({ bytesDown }) => bytesDown))} received`;
  if (maxRows === 0) return `The sandbox reached ${countText(hosts.length, 'host')}: ${sums}.`;
  const rows = hosts
    .slice(0, maxRows)
    .map(
      ({ host, requests, bytesUp, bytesDown }) =>
        `| ${codeSpan(host, { inTable: true })} | ${requests} | ${sizeText(bytesUp)} | ${sizeText(bytesDown)} |`,
    );
  const table = ['| host | requests | sent | received |', '|---|---|---|---|', ...rows].join('\n');
  const beyond =
    hosts.length > rows.length ? `\n\nand ${hosts.length - rows.length} more, ${sums} in all.` : '';
  return `The sandbox reached these hosts and no other:\n\n${table}${beyond}`;
}

/** Lists the extra hosts even if unused: a URL can carry data out, so the reviewer should know about them. */
function openHosts(extraHosts: readonly string[], maxRows: number): string {
  if (extraHosts.length === 0) return '';
  const names = listed(extraHosts, maxRows);
  return `⚠️ The configuration opened these hosts to GET and HEAD while Codex ran: ${names}.`;
}

function blocked({ denied, deniedTotal }: Receipt, maxRows: number): string {
  if (deniedTotal === 0) return 'Blocked attempts: none.';
  const sum = `⛔ **Blocked attempts: ${deniedTotal}**`;
  if (maxRows === 0) return sum;
  const shown = denied.slice(0, maxRows);
  const rows = shown.map(
    ({ method, host, path, reason, rule, count, command }) =>
      `| ${codeSpan(`${method} ${host}${path}`, { inTable: true })} | ${count} | ${inCell(reason === '' ? rule : reason)} | ${meanwhile(command)} |`,
  );
  const more = deniedTotal - shown.reduce((total, { count }) => total + count, 0);
  const beyond = more > 0 ? `\n\nand ${more} more.` : '';
  // The command is the sandbox's own word.
  const heads = '| attempt | times | why | while this ran, says the sandbox |';
  return `${sum}\n\n${[heads, '|---|---|---|---|', ...rows].join('\n')}${beyond}`;
}

const keyWords: Readonly<Record<OpeningKey, string>> = {
  'setup.hosts': 'open to setup with `setup.hosts`',
  extraHosts: 'open to Codex with `extraHosts`',
  alsoRead: 'readable with `alsoRead`',
  lfs: 'readable with `lfs`',
};

/** Names the configuration key for what was blocked although the configuration could open it. */
function openable(receipt: Receipt, maxRows: number): string {
  const rows = attemptsIn(receipt).openable;
  if (rows.length === 0 || maxRows === 0) return '';
  const byKey = Object.groupBy(rows, ({ key }) => key);
  const parts = Object.entries(keyWords).flatMap(([key, words]) => {
    const names =
      Object.entries(byKey)
        .find(([one]) => one === key)?.[1]
        ?.map(({ what }) => what) ?? [];
    return names.length === 0 ? [] : [`${listed(names, maxRows)} can be ${words}`];
  });
  return `ℹ️ If Codex needs them, change the configuration: ${parts.join('; ')}.`;
}

/** Lists failures of ours or of an upstream, which are not the agent's deed. */
function failed(receipt: Receipt, maxRows: number): string {
  if (maxRows === 0) return receipt.failedTotal === 0 ? '' : `⚠️ Failed requests: ${receipt.failedTotal}`;
  return failedRequestLines(receipt)
    .map((line) => `⚠️ ${escapeInline(line, 300)}`)
    .join('\n\n');
}

function listed(names: readonly string[], max: number): string {
  const shown = names.slice(0, max).map((name) => codeSpan(name));
  if (names.length > shown.length)
    shown.push(`${shown.length === 0 ? '' : 'and '}${names.length - shown.length} more`);
  return shown.join(', ');
}

/** The command that ran during the first attempt, by time. Empty if unknown. */
const meanwhile = (untrustedCommand: string | null | undefined): string =>
  untrustedCommand == null ? '' : codeSpan(untrustedCommand, { inTable: true });

const inCell = (untrustedText: string): string => escapeInline(untrustedText, 200);
