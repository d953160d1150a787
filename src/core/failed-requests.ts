/** The failed requests of a receipt in words, for GitHub, Slack and a terminal, which escape them. */
import type { Receipt } from './grant.ts';

const maxLines = 3;

/** "2 requests failed: api.openai.com answered 503", a line for each of the latest causes. */
export function failedRequestLines({ failed, failedTotal }: Receipt): string[] {
  const rows = failed.slice(-maxLines);
  const lines = rows.map(({ fault, reason, count }) => {
    const where = fault === 'ours' ? ' on our side' : '';
    return `${requests(count)} failed${where}: ${reason}`;
  });
  const left = failedTotal - rows.reduce((sum, { count }) => sum + count, 0);
  return left > 0 ? [...lines, `${requests(left, 'more ')} failed`] : lines;
}

const requests = (count: number, more = ''): string => `${count} ${more}request${count === 1 ? '' : 's'}`;
