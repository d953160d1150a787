/** Formats the doctor's findings: one line per check for people, one JSON document for programs. */
import type { Finding } from '../../src/core/finding.ts';
import { dim, green, red } from '../terminal/colour.ts';
import { plain } from '../terminal/plain-text.ts';

const marks: Readonly<Record<Finding['status'], string>> = { ok: '✓', warn: '!', fail: '✗', skip: '·' };
const idWidth = 24;

/** One line without control characters, because its text can come from other services. */
export function lineOf({ id, status, found, todo }: Finding): string {
  const text = plain(`${found}${todo === null ? '' : ` → ${todo}`}`).replaceAll(/\s+/g, ' ');
  const line = `${marks[status]} ${id.padEnd(idWidth)} ${text}`;
  if (status === 'fail') return red(line);
  return status === 'skip' ? dim(line) : line;
}

const count = (findings: readonly Finding[], status: Finding['status']): number =>
  findings.filter((finding) => finding.status === status).length;

export function summaryOf(findings: readonly Finding[]): string {
  const failed = count(findings, 'fail');
  const warned = count(findings, 'warn');
  const skipped = count(findings, 'skip');
  const warnings = `${warned} warning${warned === 1 ? '' : 's'}`;
  const rest = `${count(findings, 'ok')} fine, ${warnings}${skipped === 0 ? '' : `, ${skipped} not checked`}`;
  return failed === 0 ? green(`Nothing is broken: ${rest}`) : red(`${failed} broken; ${rest}`);
}

export function documentOf(findings: readonly Finding[], url: string | null): string {
  return JSON.stringify({ ok: count(findings, 'fail') === 0, url, checks: findings }, null, 2);
}
