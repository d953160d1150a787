/**
 * Turns `body_html`, which GitHub rendered, into the text that a person sees on the page, as Markdown for a
 * model. Whatever GitHub leaves out (comments, unused footnotes, titles of links) is not in the HTML; what
 * the HTML has and the page does not show is dropped here. Pure.
 *
 * - Collapsed text (`<details>`) counts as displayed: one click shows it, and people put logs there.
 * - An image is `[image]`: its alternative text and address are not displayed.
 * - A link keeps its address, which a browser shows, if it has a text. A long address is cut.
 * - A diagram is drawn from a source with comments, so only its kind is kept. A formula whose source has
 *   commands or comments is `[formula]`.
 * - The language of a code block is not displayed.
 */
import { stripHiddenCharacters } from '../core/ask/hidden-characters.ts';
import type { Displayed } from '../core/ask/mention.ts';
import { headOf } from '../lib/cut-text.ts';
import {
  blocks,
  codeElements,
  diagramOf,
  emphasis,
  hidingClasses,
  inlineInCells,
  isHidden,
  quotingClasses,
  referenceClasses,
} from './displayed-elements.ts';
import { DisplayedPage, type Speech } from './displayed-page.ts';
import { voidElements, type HtmlEvent } from './html-events.ts';

/** Characters of a link's address. A longer one can carry a text that nobody reads. */
const maxAddressChars = 300;

interface Open {
  readonly name: string;
  readonly close: (() => void) | null;
}

class Reader {
  readonly page = new DisplayedPage();
  private readonly open: Open[] = [];
  /** Depths of the elements that the reader is in. */
  private skipped = 0;
  private quoted = 0;
  private code = 0;
  private cells = 0;
  private formulas = 0;
  /** The content of the code that the reader is in; null outside. */
  private verbatim: string[] | null = null;
  private readonly lists: { next: number | null }[] = [];
  private headerCells = 0;

  read(events: readonly HtmlEvent[]): void {
    for (const event of events) {
      if (event.kind === 'open') this.start(event.name, event.attributes);
      else if (event.kind === 'close') this.end(event.name);
      else this.characters(event.text);
    }
    while (this.open.length > 0) this.open.pop()?.close?.();
  }

  private get speech(): Speech {
    return this.quoted > 0 ? 'quoted' : this.code > 0 ? 'code' : 'words';
  }

  private characters(untrustedText: string): void {
    if (this.skipped > 0) return;
    const shown = stripHiddenCharacters(untrustedText);
    const text = this.formulas > 0 && /[%\\]/.test(shown) ? '[formula]' : shown;
    if (this.verbatim !== null) this.verbatim.push(text);
    else this.page.words(text, this.speech);
  }

  /** An element that was never closed ends with the one around it. */
  private end(name: string): void {
    const at = this.open.findLastIndex((one) => one.name === name);
    if (at === -1) return;
    while (this.open.length > at) this.open.pop()?.close?.();
  }

  private start(name: string, attributes: ReadonlyMap<string, string>): void {
    const close = this.skipped > 0 ? null : this.enter(name, attributes);
    if (!voidElements.has(name)) this.open.push({ name, close });
    else close?.();
  }

  /** Returns what ends the element. */
  private enter(name: string, attributes: ReadonlyMap<string, string>): (() => void) | null {
    const { page } = this;
    const classes = (attributes.get('class') ?? '').split(/\s+/);
    const has = (names: readonly string[]): boolean => names.some((one) => classes.includes(one));
    if (isHidden(name, attributes) || has(hidingClasses)) return this.during('skipped');
    const diagram = diagramOf(name, attributes, classes);
    if (diagram !== null) {
      page.break(2);
      page.put(`[diagram: ${diagram}]`, this.speech);
      page.break(2);
      return this.during('skipped');
    }
    if (name === 'math-renderer') return this.during('formulas');
    if (this.verbatim !== null) {
      if (name === 'br') this.verbatim.push('\n');
      return null;
    }
    if (name === 'blockquote' || has(quotingClasses) || attributes.get('type') === 'discussions-op-text')
      return this.quotation();
    if (name === 'pre') return this.codeBlock();
    if (name === 'code') return this.codeSpan();
    if (codeElements.has(name)) return this.during('code');
    const mark = emphasis.get(name);
    if (mark !== undefined) {
      page.put(mark, this.speech);
      return () => page.put(mark, this.speech);
    }
    return this.enterOther(name, attributes, has(referenceClasses));
  }

  private enterOther(
    name: string,
    attributes: ReadonlyMap<string, string>,
    isReference: boolean,
  ): (() => void) | null {
    const { page } = this;
    switch (name) {
      case 'a':
        return this.link(isReference ? '' : (attributes.get('href') ?? ''));
      case 'img':
        page.put('[image]', this.speech);
        return null;
      case 'video':
        page.put('[video]', this.speech);
        return this.during('skipped');
      case 'input':
        page.put(attributes.has('checked') ? '[x]' : '[ ]', this.speech);
        page.spaceBefore();
        return null;
      case 'hr':
        page.break(2);
        page.put('---', this.speech);
        page.break(2);
        return null;
      case 'br':
        this.lineBreak(name, 1);
        return null;
      case 'sup':
        page.put('^', this.speech);
        return null;
      case 'ul':
      case 'ol':
        return this.list(name === 'ol' ? Number(attributes.get('start') ?? 1) || 0 : null);
      case 'li':
        return this.item();
      case 'tr':
        return this.row();
      case 'td':
      case 'th':
        return this.cell(name);
    }
    const lines = blocks.get(name);
    if (lines === undefined) return null;
    this.lineBreak(name, lines);
    const level = /^h([1-6])$/.exec(name)?.[1];
    if (level !== undefined) page.put(`${'#'.repeat(Number(level))} `, this.speech);
    return () => this.lineBreak(name, lines);
  }

  private during(depth: 'skipped' | 'code' | 'formulas'): () => void {
    this[depth] += 1;
    return () => (this[depth] -= 1);
  }

  private lineBreak(name: string, lines: number): void {
    if (this.cells > 0 && inlineInCells.has(name)) this.page.spaceBefore();
    else this.page.break(lines);
  }

  private quotation(): () => void {
    this.page.break(2);
    this.quoted += 1;
    const end = this.page.prefix({ first: '> ', rest: '> ', quoted: true });
    return () => {
      end();
      this.quoted -= 1;
      this.page.break(2);
    };
  }

  private collect(write: (code: string) => void): () => void {
    const pieces: string[] = [];
    this.verbatim = pieces;
    return () => {
      this.verbatim = null;
      write(pieces.join(''));
    };
  }

  private get codeSpeech(): Speech {
    return this.quoted > 0 ? 'quoted' : 'code';
  }

  private codeBlock(): () => void {
    return this.collect((code) => {
      const fence = '`'.repeat(Math.max(3, longestRun(code) + 1));
      this.page.break(2);
      for (const line of [fence, ...code.replace(/\n$/, '').split('\n'), fence]) {
        this.page.put(line, this.codeSpeech);
        this.page.break(1);
      }
      this.page.break(2);
    });
  }

  private codeSpan(): () => void {
    return this.collect((code) => {
      const line = code.replace(/\s+/g, ' ');
      if (line.trim() === '') return;
      const ticks = '`'.repeat(longestRun(line) + 1);
      const padding = /^`|`$/.test(line) ? ' ' : '';
      this.page.put(`${ticks}${padding}${line}${padding}${ticks}`, this.codeSpeech);
    });
  }

  private link(href: string): (() => void) | null {
    // A link within the page: a footnote, a heading.
    if (href === '' || href.startsWith('#')) return null;
    const since = this.page.writtenSince();
    return () => {
      const shown = since().replaceAll('[image]', '').trim();
      const bare = (address: string): string => address.replace(/^(?:https?:\/\/|mailto:)|\/$/g, '');
      if (!/[\p{L}\p{N}]/u.test(shown) || bare(shown) === bare(href)) return;
      const address = stripHiddenCharacters(href).replace(/\s+/g, ' ');
      const kept = address.length > maxAddressChars ? `${headOf(address, maxAddressChars)}…` : address;
      this.page.put(` (${kept})`, this.codeSpeech);
    };
  }

  private list(next: number | null): () => void {
    const lines = this.lists.length > 0 ? 1 : 2;
    this.page.break(lines);
    this.lists.push({ next });
    return () => {
      this.lists.pop();
      this.page.break(lines);
    };
  }

  private item(): () => void {
    const list = this.lists.at(-1);
    const marker = list?.next == null ? '- ' : `${list.next}. `;
    if (list?.next != null) list.next += 1;
    this.page.break(1);
    const end = this.page.prefix({ first: marker, rest: ' '.repeat(marker.length), quoted: this.quoted > 0 });
    return () => {
      end();
      this.page.break(1);
    };
  }

  private row(): () => void {
    this.page.break(1);
    this.headerCells = 0;
    return () => {
      this.page.put('|', this.speech);
      this.page.break(1);
      if (this.headerCells === 0) return;
      this.page.put(`|${' --- |'.repeat(this.headerCells)}`, this.speech);
      this.page.break(1);
    };
  }

  private cell(name: string): () => void {
    if (name === 'th') this.headerCells += 1;
    this.page.put('|', this.speech);
    this.page.spaceBefore();
    this.cells += 1;
    return () => {
      this.cells -= 1;
      this.page.spaceBefore();
    };
  }
}

function longestRun(code: string): number {
  return Math.max(0, ...(code.match(/`+/g) ?? []).map((run) => run.length));
}

/** `addressable` as in `Displayed`. */
export function displayedText(events: readonly HtmlEvent[]): Displayed {
  const reader = new Reader();
  reader.read(events);
  return reader.page.written();
}
