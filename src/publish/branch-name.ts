/** Names a task's branch from prefix, title and task: a second attempt names the same one. */

const maxSlug = 40;

/** `<prefix><readable>-<shortId>`. The title is untrusted: only its `[a-z0-9-]` remain. */
export function branchName(prefix: string, untrustedTitle: string, shortId: string): string {
  const words = untrustedTitle
    .slice(0, 500)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  // Cut at a word if that leaves something to read.
  const cut = words.length <= maxSlug ? words : words.slice(0, maxSlug + 1).replace(/-[^-]*$/, '');
  const slug = cut.slice(0, maxSlug).replace(/-+$/, '');
  return `${prefix}${slug === '' ? 'change' : slug}-${shortId}`;
}
