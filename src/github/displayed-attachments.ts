/** Finds what a person sees attached to a text that GitHub displays: images, videos and files. Pure. */
import { headOf } from '../lib/cut-text.ts';
import { hidingClasses, isHidden } from './displayed-elements.ts';
import { voidElements, type HtmlEvent } from './html-events.ts';

export interface DisplayedAttachment {
  /** `small image`: nobody can see what it shows. */
  readonly kind: 'image' | 'small image' | 'video' | 'file';
  /** With GitHub's signature. Never stored. */
  readonly address: string;
  /** Without its query and fragment: what names it for the life of the text. */
  readonly key: string;
  /** The name of a file; empty for an image, whose name is not displayed. Untrusted. */
  readonly name: string;
}

/** Uploads that a link leads to: `/user-attachments/files/1/log.txt`, `/ada/shop/files/1/log.txt`. */
const uploadedFile = /^\/(?:user-attachments|[\w.-]+\/[\w.-]+)\/(?:files|assets)\/[\w-]+(?:\/([^/]+))?$/;
const maxAddressChars = 2_000;

/** Each once, in the order in which they are displayed. `webUrl`: where GitHub's pages are. */
export function displayedAttachments(
  events: readonly HtmlEvent[],
  webUrl: string,
): readonly DisplayedAttachment[] {
  const found = new Map<string, DisplayedAttachment>();
  const add = (kind: DisplayedAttachment['kind'], address: string, name: string): void => {
    const url = address === '' ? null : URL.parse(address, webUrl);
    if (url === null || !/^https?:$/.test(url.protocol) || url.href.length > 2 * maxAddressChars) return;
    const key = headOf(`${url.origin}${url.pathname}`, maxAddressChars);
    // A link around an image leads to the image itself.
    const replaced = found.get(key)?.kind ?? 'file';
    if (replaced !== 'file' && replaced !== 'small image') return;
    found.delete(key);
    found.set(key, { kind, address: url.href, key, name });
  };
  /** Elements that the page does not show. */
  const hidden: string[] = [];
  for (const event of events) {
    if (event.kind === 'text') continue;
    if (event.kind === 'close') {
      if (hidden.at(-1) === event.name) hidden.pop();
      continue;
    }
    const { name, attributes } = event;
    const classes = (attributes.get('class') ?? '').split(/\s+/);
    const isShown = !isHidden(name, attributes) && !hidingClasses.some((one) => classes.includes(one));
    if (hidden.length > 0 || !isShown) {
      // An element of the same name inside a hidden one has to be closed first.
      if (!voidElements.has(name) && (!isShown || hidden.at(-1) === name)) hidden.push(name);
      continue;
    }
    if (name === 'img' && !classes.includes('emoji'))
      add(isSmall(attributes) ? 'small image' : 'image', attributes.get('src') ?? '', '');
    else if (name === 'video') add('video', attributes.get('src') ?? '', '');
    else if (name === 'a') addLink(attributes.get('href') ?? '', webUrl, add);
  }
  return [...found.values()];
}

/** Pixels, and percent of the page's width, below which an image is illegible. */
const legible = { '': 24, '%': 5 } as const;

function isSmall(attributes: ReadonlyMap<string, string>): boolean {
  return ['width', 'height'].some((side) => {
    const [, length, unit] = /^\s*(\d{1,9}(?:\.\d{1,9})?)\s*(%?)/.exec(attributes.get(side) ?? '') ?? [];
    return length !== undefined && Number(length) < legible[unit === '%' ? '%' : ''];
  });
}

function addLink(
  href: string,
  webUrl: string,
  add: (kind: 'file', address: string, name: string) => void,
): void {
  const url = URL.parse(href, webUrl);
  const upload = url?.origin === new URL(webUrl).origin ? uploadedFile.exec(url.pathname) : null;
  if (url === null || upload === null) return;
  add('file', url.href, decoded(upload[1] ?? ''));
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
