/**
 * Decides from which addresses attachments are fetched, and which of them get the task's read token. Exact
 * hosts alone: GitHub's proxy for images of other websites is none of them. Pure.
 */

/** GitHub signs the addresses there, so none of them gets a token. */
const storage: ReadonlySet<string> = new Set([
  'private-user-images.githubusercontent.com',
  'user-images.githubusercontent.com',
  'objects.githubusercontent.com',
  'github-production-user-asset-6210df.s3.amazonaws.com',
  'github-production-repository-file-5c1aeb.s3.amazonaws.com',
]);
const uploads = /^\/(?:user-attachments|[\w.-]+\/[\w.-]+)\/(?:files|assets)\/[^/]/;
/** GitHub Enterprise Server signs these with a `token`. */
const serverStorage = /^\/(?:storage\/)?user\/\d+\/files\/[^/]/;

/** `token`: send the task's own. `webUrl`: where GitHub's pages are. Null: not allowed. */
export function attachmentAccess(url: URL, webUrl: string): 'token' | 'signed' | null {
  const web = new URL(webUrl);
  if (url.protocol !== web.protocol || url.username !== '' || url.password !== '') return null;
  // A parser behind us could read an escaped slash or dot as one.
  if (/%(?:2e|2f|5c)|\\|\/\//i.test(url.pathname)) return null;
  if (url.host === web.host && uploads.test(url.pathname)) return 'token';
  if (web.host === 'github.com') return storage.has(url.host) ? 'signed' : null;
  const isServers = url.host === web.host || url.host === `media.${web.host}`;
  return isServers && serverStorage.test(url.pathname) ? 'signed' : null;
}
