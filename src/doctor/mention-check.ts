/** Checks the name that people mention: another account of that name would be notified each time. */
import { ok, warn, type Verdict } from './check.ts';
import type { Asked } from './service.ts';

/** `askAccount` asks GitHub, without a credential, for the account with the mentioned name. */
export async function judgeMention(
  /** Null: none is configured, so that the App's own name counts. */
  mention: string | null,
  slug: string,
  askAccount: (login: string) => Promise<Asked>,
): Promise<Verdict> {
  if (mention === null || mention.toLowerCase() === slug.toLowerCase())
    return ok(`people mention @${slug}, the App itself`);
  const remedy = `Remove "github.mention", and people mention @${slug}, the App itself.`;
  const asked = await askAccount(mention);
  if (!asked.answered) return warn(`whether somebody is called @${mention} is unknown: ${asked.why}`, remedy);
  if (asked.status === 200)
    return warn(`@${mention} is somebody else’s account, which every mention notifies`, remedy);
  if (asked.status === 404)
    return ok(`people mention @${mention}, which is nobody’s account; the App is @${slug}`);
  // GitHub Enterprise Server can refuse to say it without a sign-in.
  return warn(`whether somebody is called @${mention} is unknown: GitHub answered ${asked.status}`, remedy);
}
