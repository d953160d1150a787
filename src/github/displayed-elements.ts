/** Which elements of GitHub's pages are displayed, and as what. */

/** Elements whose content no browser shows, also those that GitHub removes. */
const undisplayed = new Set(
  'script style template noscript object svg math rp head iframe audio datalist'.split(' '),
);
/** GitHub's classes for text that the page hides. Its sanitizer removes classes that people write. */
export const hidingClasses = ['sr-only', 'data-footnote-backref', 'email-hidden-toggle'];
/** Text that the author quotes: an earlier mail below a reply, lines of a file. */
export const quotingClasses = [
  'email-hidden-reply',
  'email-quoted-reply',
  'email-signature-reply',
  'blob-wrapper',
];
/** The kind of diagram that a browser draws in place of an element; null if none. */
export function diagramOf(
  name: string,
  attributes: ReadonlyMap<string, string>,
  classes: readonly string[],
): string | null {
  if (classes.includes('js-render-needs-enrichment'))
    return /^[a-z]{1,20}$/.exec(attributes.get('data-type') ?? '')?.[0] ?? 'data';
  const prefix = 'highlight-source-';
  const highlighted = classes.find((one) => one.startsWith(prefix))?.slice(prefix.length);
  const language = highlighted ?? (name === 'pre' ? attributes.get('lang') : undefined) ?? '';
  return /^(?:mermaid|geojson|topojson|stl)$/.exec(language)?.[0] ?? null;
}
export const codeElements = new Set(['code', 'kbd', 'samp', 'tt', 'var']);
/** Links that GitHub makes of a text such as `@ada` or `#12`. */
export const referenceClasses = [
  'user-mention',
  'team-mention',
  'issue-link',
  'commit-link',
  'commit-tease-sha',
];
export const emphasis = new Map([
  ...['strong', 'b'].map((name) => [name, '**'] as const),
  ...['em', 'i'].map((name) => [name, '*'] as const),
  ...['del', 's', 'strike'].map((name) => [name, '~~'] as const),
]);
/** Line breaks before and after a block: 2 leaves an empty line. */
export const blocks = new Map([
  ...'p h1 h2 h3 h4 h5 h6 ul ol dl table blockquote pre details'.split(' ').map((name) => [name, 2] as const),
  ...'li tr dt dd summary div section article figure figcaption caption center header footer'
    .split(' ')
    .map((name) => [name, 1] as const),
]);
/** In a cell of a table these are no lines of their own. */
export const inlineInCells = new Set(['p', 'div', 'br']);

export function isHidden(name: string, attributes: ReadonlyMap<string, string>): boolean {
  const style = attributes.get('style') ?? '';
  return (
    undisplayed.has(name) ||
    attributes.has('hidden') ||
    /display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0/i.test(style)
  );
}
