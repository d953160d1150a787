/**
 * Renders the network receipt for a pull request: what the sandbox reached, what was blocked, and what
 * failed.
 */
import { sizeText } from '../lib/byte-size.ts';
import { failedRequestLines } from '../core/failed-requests.ts';
import type { Receipt } from '../core/grant.ts';
import { codeSpan, escapeInline } from '../github/markdown.ts';

export function networkReceipt(receipt: Receipt, extraHosts: readonly string[]): string {
  const hosts = receipt.hosts.map(
    ({ host, requests, bytesUp, bytesDown }) =>
      `| ${codeSpan(host, { inTable: true })} | ${requests} | ${sizeText(bytesUp)} | ${sizeText(bytesDown)} |`,
  );
  const reached =
    hosts.length === 0
      ? 'The sandbox reached no host.'
      : [
          'The sandbox reached these hosts and no other:',
          '',
          '| host | requests | sent | received |',
          '|---|---|---|---|',
          ...hosts,
        ].join('\n');
  return ['### Network', reached, openHosts(extraHosts), blocked(receipt), failed(receipt)]
    .filter((text) => text !== '')
    .join('\n\n');
}

/** Lists the extra hosts even if unused: a URL can carry data out, so the reviewer should know about them. */
function openHosts(extraHosts: readonly string[]): string {
  if (extraHosts.length === 0) return '';
  const names = extraHosts.map((host) => codeSpan(host)).join(', ');
  return `⚠️ The configuration opened these hosts to GET and HEAD while Codex ran: ${names}.`;
}

function blocked({ denied, deniedTotal }: Receipt): string {
  if (deniedTotal === 0) return 'Blocked attempts: none.';
  const rows = denied.map(
    ({ method, host, path, reason, rule, count, command }) =>
      `| ${codeSpan(`${method} ${host}${path}`, { inTable: true })} | ${count} | ${inCell(reason === '' ? rule : reason)} | ${meanwhile(command)} |`,
  );
  const listed = denied.reduce((sum, row) => sum + row.count, 0);
  const beyond = deniedTotal > listed ? `\n\nand ${deniedTotal - listed} more.` : '';
  const table = ['| attempt | times | why | while this ran |', '|---|---|---|---|', ...rows].join('\n');
  return `⛔ **Blocked attempts: ${deniedTotal}**\n\n${table}${beyond}`;
}

/** Lists failures of ours or of an upstream, which are not the agent's deed. */
function failed(receipt: Receipt): string {
  return failedRequestLines(receipt)
    .map((line) => `⚠️ ${escapeInline(line, 300)}`)
    .join('\n\n');
}

/** The command that ran during the first attempt, by time. Empty if unknown. */
const meanwhile = (untrustedCommand: string | null | undefined): string =>
  untrustedCommand == null ? '' : codeSpan(untrustedCommand, { inTable: true });

const inCell = (untrustedText: string): string => escapeInline(untrustedText, 200);
