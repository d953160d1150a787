/** HTML as events: from workerd's parser in `read-html.ts`, from another one in tests. */

export type HtmlEvent =
  /** A void element, such as `br`, has no `close`. */
  | { readonly kind: 'open'; readonly name: string; readonly attributes: ReadonlyMap<string, string> }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'close'; readonly name: string };

export type ReadHtml = (html: string) => Promise<readonly HtmlEvent[]>;

export const voidElements: ReadonlySet<string> = new Set(
  'area base br col embed hr img input link meta param source track wbr'.split(' '),
);

/** The names that serializers write. Another name stays as it is: it is text then. */
const namedEntities: Readonly<Record<string, string>> = {
  amp: '&',
  apos: "'",
  gt: '>',
  hellip: '…',
  lt: '<',
  nbsp: '\u00A0',
  quot: '"',
};

export function decodeEntities(html: string): string {
  return html.replace(
    /&(?:#[xX]([0-9a-fA-F]{1,6})|#(\d{1,7})|([a-z]{2,6}));/g,
    (entity, hex: string | undefined, decimal: string | undefined, name: string | undefined) => {
      if (name !== undefined)
        return Object.hasOwn(namedEntities, name) ? (namedEntities[name] ?? '') : entity;
      const codePoint = hex === undefined ? Number.parseInt(decimal ?? '', 10) : Number.parseInt(hex, 16);
      return codePoint === 0 || codePoint > 0x10_ff_ff ? '\uFFFD' : String.fromCodePoint(codePoint);
    },
  );
}
