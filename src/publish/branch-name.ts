/** The branch a task's change goes to. A function of title and task, so that a second attempt names the same one. */

const maxSlug = 40;

/** `airlock/<readable>-<shortId>`; the title is untrusted, only `[a-z0-9-]` of it is left. */
export function branchName(untrustedTitle: string, shortId: string): string {
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
  return `airlock/${slug === '' ? 'change' : slug}-${shortId}`;
}
