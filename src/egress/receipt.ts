/**
 * Folds what a sandbox requested into the receipt that people see. Bounded: a sandbox that makes ten thousand
 * different requests gets counted, not listed.
 */
import type { EgressEntry, Receipt } from '../core/grant.ts';

const maxDeniedRows = 50;
const maxHosts = 50;

/** Hosts and totals of allowed requests, rows for denied ones. The canary's own requests are not the sandbox's doing. */
export function addToReceipt(receipt: Receipt, entry: EgressEntry): Receipt {
  if (entry.rule.startsWith('canary')) return receipt;
  if (entry.verdict === 'allowed') return { ...receipt, hosts: addHost(receipt.hosts, entry) };
  return { ...receipt, denied: addDenied(receipt.denied, entry), deniedTotal: receipt.deniedTotal + 1 };
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
  const index = rows.findIndex(
    (row) =>
      row.method === entry.method &&
      row.host === entry.host &&
      row.path === entry.path &&
      row.rule === entry.rule,
  );
  const known = rows[index];
  if (known !== undefined) return rows.with(index, { ...known, count: known.count + 1 });
  if (rows.length >= maxDeniedRows) return rows;
  const { method, host, path, rule, reason, at } = entry;
  return [...rows, { method, host, path, rule, reason, count: 1, at }];
}
