/**
 * Checks the name that people mention on GitHub. A name that is another account's notifies that account each
 * time, and tells it about repositories it may not know.
 */
import { ok, warn, type Verdict } from './check.ts';
import type { Asked } from './service.ts';

/** `askAccount` asks GitHub, without a credential, for the account with the mentioned name. */
export async function judgeMention(
  mention: string,
  slug: string,
  askAccount: () => Promise<Asked>,
): Promise<Verdict> {
  if (mention.toLowerCase() === slug.toLowerCase()) return ok(`people mention @${mention}, the App itself`);
  const remedy = `Set "github.mention" to ${JSON.stringify(slug)}, the App’s own name, or rename the App.`;
  const asked = await askAccount();
  if (!asked.answered) return warn(`whether somebody is called @${mention} is unknown: ${asked.why}`, remedy);
  if (asked.status === 200)
    return warn(`@${mention} is somebody else’s account, which every mention notifies`, remedy);
  if (asked.status === 404)
    return ok(`people mention @${mention}, which is nobody’s account; the App is @${slug}`);
  // GitHub Enterprise Server can refuse to say it without a sign-in.
  return warn(`whether somebody is called @${mention} is unknown: GitHub answered ${asked.status}`, remedy);
}
