/** Folds what a sandbox requested into the receipt; beyond ten thousand different requests only counts. */
import type { EgressEntry, Receipt } from '../core/grant.ts';

const maxDeniedRows = 50;
const maxFailedRows = 20;
/** More than a configuration can open: 50 hosts each to setup and to Codex, and GitHub, LFS and OpenAI. */
const maxHosts = 120;

/** The canary's requests are our own probes and leave no trace in the receipt. */
export function addToReceipt(receipt: Receipt, entry: EgressEntry): Receipt {
  if (entry.rule.startsWith('canary')) return receipt;
  const hosts = reachedHost(entry) ? addHost(receipt.hosts, entry) : receipt.hosts;
  switch (entry.verdict) {
    case 'allowed':
      return { ...receipt, hosts };
    case 'denied':
      return {
        ...receipt,
        hosts,
        denied: addDenied(receipt.denied, entry),
        deniedTotal: receipt.deniedTotal + 1 + (entry.more ?? 0),
      };
    case 'failed':
      return {
        ...receipt,
        hosts,
        failed: addFailed(receipt.failed, entry),
        failedTotal: receipt.failedTotal + 1 + (entry.more ?? 0),
      };
  }
}

/** Also true for a request that failed, or that was cut off at a budget, after a part of it had passed. */
function reachedHost({ verdict, bytesUp, bytesDown }: EgressEntry): boolean {
  return verdict === 'allowed' || bytesUp + bytesDown > 0;
}

function addHost(hosts: Receipt['hosts'], entry: EgressEntry): Receipt['hosts'] {
  const at = hosts.findIndex((row) => row.host === entry.host);
  const known = hosts[at];
  if (known === undefined) {
    if (hosts.length >= maxHosts) return hosts;
    return [...hosts, { host: entry.host, requests: 1, bytesUp: entry.bytesUp, bytesDown: entry.bytesDown }];
  }
  return hosts.with(at, {
    host: known.host,
    requests: known.requests + 1,
    bytesUp: known.bytesUp + entry.bytesUp,
    bytesDown: known.bytesDown + entry.bytesDown,
  });
}

function addDenied(rows: Receipt['denied'], entry: EgressEntry): Receipt['denied'] {
  const { method, host, path, rule, reason, at } = entry;
  // The reason names what a body asked for, such as a tool: two tools are two attempts.
  return addRow(
    rows,
    (row) =>
      row.method === method &&
      row.host === host &&
      row.path === path &&
      row.rule === rule &&
      row.reason === reason,
    { method, host, path, rule, reason, count: 1, at },
    maxDeniedRows,
  );
}

function addFailed(
  rows: Receipt['failed'],
  { host, fault, rule, reason }: EgressEntry & { verdict: 'failed' },
): Receipt['failed'] {
  return addRow(
    rows,
    (row) => row.host === host && row.rule === rule && row.reason === reason,
    { host, fault, rule, reason, count: 1 },
    maxFailedRows,
  );
}

/** Counts up the row that is the same; otherwise appends a new one while there is room. */
function addRow<Row extends { readonly count: number }>(
  rows: readonly Row[],
  isSame: (row: Row) => boolean,
  first: Row,
  max: number,
): readonly Row[] {
  const index = rows.findIndex(isSame);
  const known = rows[index];
  if (known !== undefined) return rows.with(index, { ...known, count: known.count + 1 });
  return rows.length >= max ? rows : [...rows, first];
}
