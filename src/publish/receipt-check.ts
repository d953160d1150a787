/**
 * Renders the check run “Airlock receipt” of a published commit. It fails if something is to be read before
 * the merge, until somebody accepts it. The details are those of the pull request's body.
 */
import { attemptsIn, needsCaution } from '../core/attempts.ts';
import type { PublishInput, ReceiptCheck } from '../core/ports/publication.ts';
import { cautionText } from '../github/caution-text.ts';
import { escapeInline } from '../github/markdown.ts';
import { acceptLabel, checkBytes } from '../github/receipt-runs.ts';
import { countText } from '../lib/count-text.ts';
import { utf8Length } from '../lib/utf8.ts';
import { fitSections } from './fit-sections.ts';
import { details } from './pull-request-text.ts';

/** Leaves room for what `receipt-checks.ts` adds: earlier commits that are marked, and who accepted. */
const summaryBytes = checkBytes - 8_000;

/** `pull`: the pull request that the commit was added to; null if the task opened one. */
export function receiptCheck(wanted: PublishInput, sha: string | null, pull: number | null): ReceiptCheck {
  // It stays when a private repository becomes public, so it links to no conversation and no log.
  const input = { ...wanted, facts: { ...wanted.facts, private: false } };
  const { receipt } = input.evidence;
  const isMarked = input.remarks.length > 0 || needsCaution(attemptsIn(receipt));
  const always = { rank: 0, variants: [acceptText(input, isMarked)] };
  const summary = [
    { rank: 1, variants: [requestsText(input)] },
    { rank: 2, variants: [cautionText(receipt), cautionText(receipt, 1)] },
    { rank: 3, variants: [40, 10, 1].map((rows) => remarksText(input, rows)) },
    always,
  ];
  return {
    sha,
    pull,
    isMarked,
    title: titleOf(input, isMarked),
    summary: fitSections(summary, summaryBytes, utf8Length),
    text: fitSections([...details(input), { rank: 0, variants: [''] }], checkBytes, utf8Length),
  };
}

/** For a merge by GitHub, which no sandbox took part in. */
export function mergeCheck(sha: string, pull: number): ReceiptCheck {
  return {
    sha,
    pull,
    isMarked: false,
    title: 'No remarks: GitHub made this merge',
    summary: 'GitHub merged the base branch without a conflict. No sandbox ran, so nothing was requested.',
    text: '',
  };
}

function titleOf({ remarks, evidence }: PublishInput, isMarked: boolean): string {
  const { deniedTotal, failedTotal } = evidence.receipt;
  const requests = `${countText(deniedTotal, 'request')} blocked, ${failedTotal} failed`;
  if (!isMarked) return `No remarks · ${requests}`;
  return remarks.length === 0
    ? `A request needs caution · ${requests}`
    : `${countText(remarks.length, 'remark')} to read before the merge · ${requests}`;
}

function requestsText({ evidence: { receipt } }: PublishInput): string {
  const allowed = receipt.hosts.reduce((sum, { requests }) => sum + requests, 0);
  const { deniedTotal, failedTotal, hosts } = receipt;
  return `Requests of the sandbox: **${allowed} allowed** to ${countText(hosts.length, 'host')}, **${deniedTotal} blocked**, **${failedTotal} failed**.`;
}

function remarksText({ remarks }: PublishInput, maxRows: number): string {
  if (remarks.length === 0) return '';
  const rows = remarks.slice(0, maxRows).map((remark) => `- ${escapeInline(remark, 600)}`);
  if (remarks.length > rows.length) rows.push(`- and ${remarks.length - rows.length} more`);
  return ['**Read this before you merge:**', '', ...rows].join('\n');
}

function acceptText({ policy }: PublishInput, isMarked: boolean): string {
  if (!isMarked) return '';
  const who =
    policy.approval === 'second-person'
      ? 'Somebody with write access, other than who asked,'
      : 'Somebody with write access';
  return `${who} can press **${acceptLabel}** after reading it. Then the check no longer fails.`;
}
