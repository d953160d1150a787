/** Collects the lines of a displayed text, and for each character whether a mention can count there. */
import { code, type Displayed } from '../core/ask/mention.ts';

export type Speech = 'words' | 'code' | 'quoted';

/** What precedes each line of a list item or a quotation. */
interface Prefix {
  readonly first: string;
  readonly rest: string;
  readonly quoted: boolean;
  used: boolean;
}

export class DisplayedPage {
  private readonly text: string[] = [];
  private readonly addressable: string[] = [];
  private readonly prefixes: Prefix[] = [];
  private breaks = 0;
  private atLineStart = true;
  private space = false;

  break(lines: number): void {
    if (this.text.length > 0) this.breaks = Math.max(this.breaks, lines);
  }

  spaceBefore(): void {
    this.space = true;
  }

  /** Writes text whose white space is collapsed, as HTML does. */
  words(text: string, as: Speech): void {
    const flat = text.replace(/[ \t\n\f\u00A0]+/g, ' ');
    if (flat.startsWith(' ')) this.space = true;
    const body = flat.trim();
    if (body === '') return;
    this.put(body, as);
    this.space = flat.endsWith(' ');
  }

  put(text: string, as: Speech): void {
    for (; this.breaks > 0; this.breaks -= 1) {
      this.add('\n', 'words');
      this.atLineStart = true;
      if (this.breaks > 1) this.addPrefixes(({ used }) => used);
    }
    if (this.atLineStart) {
      this.addPrefixes(() => true);
      this.atLineStart = false;
    } else if (this.space) this.add(' ', 'words');
    this.space = false;
    this.add(text, as);
  }

  /** Precedes each line until the returned function is called. */
  prefix(prefix: Omit<Prefix, 'used'>): () => void {
    this.prefixes.push({ ...prefix, used: false });
    return () => this.prefixes.pop();
  }

  writtenSince(): () => string {
    const from = this.text.length;
    return () => this.text.slice(from).join('');
  }

  written(): Displayed {
    return { text: this.text.join(''), addressable: this.addressable.join('') };
  }

  private addPrefixes(isDue: (prefix: Prefix) => boolean): void {
    for (const prefix of this.prefixes.filter(isDue)) {
      this.add(prefix.used ? prefix.rest : prefix.first, prefix.quoted ? 'quoted' : 'words');
      prefix.used = true;
    }
  }

  private add(text: string, as: Speech): void {
    this.text.push(text);
    this.addressable.push(as === 'words' ? text : blanked(text, as));
  }
}

/** Code is not white space, so that `help` before a code block is not the whole request. */
const blanked = (text: string, as: 'code' | 'quoted'): string =>
  text.replace(/[^\n]/g, as === 'code' ? code : ' ');
