/** Warns, on top, about a run that tried to send or write where the sandbox may not. */
import { attemptsIn, cautionAdvice, cautionClaim, needsCaution } from '../core/attempts.ts';
import type { Receipt } from '../core/grant.ts';
import { codeSpan } from './markdown.ts';

/** '' if there is no reason for caution. */
export function cautionText(receipt: Receipt, maxRows = 5): string {
  const attempts = attemptsIn(receipt);
  if (!needsCaution(attempts)) return '';
  const { caution, unlisted } = attempts;
  const rows = caution.slice(0, maxRows).map(({ method, host, path, count }) => {
    const times = count > 1 ? ` (${count} times)` : '';
    return `> - ${codeSpan(`${method} ${host}${path}`, { maxChars: 160 })}${times}`;
  });
  const more = unlisted + caution.slice(maxRows).reduce((sum, { count }) => sum + count, 0);
  if (more > 0) rows.push(`> - and ${more} more`);
  return ['> [!CAUTION]', `> **${cautionClaim}.** ${cautionAdvice}`, '>', ...rows].join('\n');
}
