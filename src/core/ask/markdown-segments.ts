/**
 * Finds code, comments and quotations in a Markdown text, for `mention.ts` and `hidden-text.ts`.
 *
 * Covers a part of CommonMark 0.31 without GitHub's tables: blocks line by line, then code spans and comments
 * inside each paragraph. Where it differs from the specification, it errs towards "comment" and "quoted".
 * Line ends must be `\n` already. Linear in the length of the text.
 */
type SegmentKind = 'text' | 'code' | 'comment';

/** A half-open range of UTF-16 units. Segments are in order, do not overlap, and cover the whole text. */
export interface Segment {
  readonly start: number;
  readonly end: number;
  readonly kind: SegmentKind;
  /** Inside a block quote, including its lazy continuation lines. */
  readonly quoted: boolean;
}

interface Fence {
  readonly marker: string;
  readonly quoted: boolean;
  /** Columns of the enclosing list item. A line with fewer columns ends the item and the fence. */
  readonly listColumns: number;
}

interface Paragraph {
  start: number;
  end: number;
  quoted: boolean;
  /** Inside an HTML block a backtick is literal, so that a comment cannot hide behind one. */
  html: boolean;
}

/** What precedes a line's content: block quote markers, list markers, indentation. */
interface LineStart {
  readonly content: number;
  readonly quoted: boolean;
  readonly blank: boolean;
  /** Columns of indentation beyond the innermost list item. */
  readonly indent: number;
  /** Columns from the line's start (or its last `>`) to the content. */
  readonly columns: number;
  readonly startsItem: boolean;
}

const listMarker = /(?:[-+*]|\d{1,9}[.)])(?=[ \t\n]|$)/y;
const thematicBreak = /([-*_])[ \t]*(?:\1[ \t]*){2,}\n?$/y;
const rawElement = /<(pre|script|style|textarea)(?=[\s>]|$)/iy;
const rawElementEnd = /<\/(?:pre|script|style|textarea)>/i;

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

class Segmenter {
  readonly segments: Segment[] = [];
  private readonly text: string;
  private paragraph: Paragraph | null = null;
  private fence: Fence | null = null;
  /** Set inside a comment that began a line. */
  private comment: { readonly quoted: boolean } | null = null;
  private rawHtml = false;
  private lists: number[] = [];

  constructor(text: string) {
    this.text = text;
  }

  run(): readonly Segment[] {
    let start = 0;
    while (start < this.text.length) {
      const lineFeed = this.text.indexOf('\n', start);
      const end = lineFeed === -1 ? this.text.length : lineFeed + 1;
      this.line(start, end);
      start = end;
    }
    this.flush();
    return this.segments;
  }

  private push(start: number, end: number, kind: SegmentKind, quoted: boolean): void {
    if (end > start) this.segments.push({ start, end, kind, quoted });
  }

  private readStart(start: number, end: number): LineStart {
    let at = start;
    let columns = 0;
    let quoted = false;
    let startsItem = false;
    // No conversation nests deeper than this. The limit keeps a line of ten thousand `>` linear.
    for (let depth = 0; ; depth += 1) {
      const from = columns;
      while (at < end && (this.text[at] === ' ' || this.text[at] === '\t')) {
        columns += this.text[at] === '\t' ? 4 - (columns % 4) : 1;
        at += 1;
      }
      const reach = startsItem ? from : (this.lists.findLast((offset) => offset <= columns) ?? 0);
      const indent = columns - reach;
      const blank = at >= end || this.text[at] === '\n' || this.text[at] === '\r';
      const done: LineStart = { content: at, quoted, blank, indent, columns, startsItem };
      if (blank || depth > 100 || indent > (startsItem ? 4 : 3)) return done;
      if (this.text[at] === '>') {
        quoted = true;
        at += 1;
        columns = 0;
        if (this.text[at] === ' ') at += 1;
        continue;
      }
      const marker = matchAt(listMarker, this.text, at);
      if (marker === null || matchAt(thematicBreak, this.text.slice(at, Math.min(end, at + 200)), 0) !== null)
        return done;
      if (!startsItem) this.lists = this.lists.filter((offset) => offset <= columns);
      at += marker[0].length;
      columns += marker[0].length;
      this.lists.push(columns + 1);
      startsItem = true;
    }
  }

  private line(start: number, end: number): void {
    const at = this.readStart(start, end);
    if (this.continueBlock(start, end, at)) return;

    if (at.blank) {
      this.flush();
      this.push(start, end, 'text', at.quoted);
      return;
    }
    const lazy = this.paragraph !== null && !at.startsItem;
    if (!lazy && !at.startsItem) this.lists = this.lists.filter((offset) => offset <= at.columns);

    if (at.indent >= 4 && this.paragraph === null && !at.startsItem) {
      this.push(start, end, 'code', at.quoted);
      return;
    }
    const content = this.text.slice(at.content, end);
    if (this.openBlock(start, end, at, content)) return;

    // A block element may interrupt a paragraph. Inline elements count as such, which loses the code spans of
    // their line.
    const html = /^<(?:[A-Za-z][A-Za-z0-9-]*[\s/>]|[/!?])/.test(content);
    const quoted = at.quoted || (lazy && this.paragraph !== null && this.paragraph.quoted);
    const same =
      this.paragraph !== null && this.paragraph.quoted === quoted && (this.paragraph.html || !html);
    if (this.paragraph === null || at.startsItem || !same) {
      this.flush();
      this.paragraph = { start, end, quoted, html };
    } else this.paragraph.end = end;
    // A heading is a single line, and the next line does not continue it lazily.
    if (/^#{1,6}(?:\s|$)/.test(content)) this.flush();
  }

  /** Handles a line that belongs to an open fence, comment or raw HTML element. */
  private continueBlock(start: number, end: number, at: LineStart): boolean {
    if (this.fence !== null) {
      const { marker, quoted, listColumns } = this.fence;
      const outside = (quoted && !at.quoted) || (!at.blank && at.columns < listColumns && !quoted);
      if (outside) this.fence = null;
      else {
        this.push(start, end, 'code', quoted);
        const content = this.text.slice(at.content, end).trimEnd();
        const closes = content.length >= marker.length && content === marker.charAt(0).repeat(content.length);
        if (closes && at.indent < 4) this.fence = null;
        return true;
      }
    }
    if (this.comment !== null) {
      if (this.comment.quoted && !at.quoted) this.comment = null;
      else {
        this.commentLine(start, end, start, this.comment.quoted);
        return true;
      }
    }
    if (this.rawHtml) {
      if (rawElementEnd.test(this.text.slice(start, end))) this.rawHtml = false;
      this.extendHtml(start, end, at.quoted);
      return true;
    }
    return false;
  }

  private extendHtml(start: number, end: number, quoted: boolean): void {
    if (this.paragraph?.html === true && this.paragraph.quoted === quoted) this.paragraph.end = end;
    else {
      this.flush();
      this.paragraph = { start, end, quoted, html: true };
    }
    if (!this.rawHtml) this.flush();
  }

  private openBlock(start: number, end: number, at: LineStart, content: string): boolean {
    const fence = /^(`{3,}|~{3,})(.*)/s.exec(content);
    const marker = fence?.[1];
    if (marker !== undefined && !(marker.startsWith('`') && fence?.[2]?.includes('`') === true)) {
      this.flush();
      this.fence = { marker, quoted: at.quoted, listColumns: this.lists.at(-1) ?? 0 };
      this.push(start, end, 'code', at.quoted);
      return true;
    }
    if (content.startsWith('<!--')) {
      this.flush();
      this.push(start, at.content, 'text', at.quoted);
      // `<!-->` is a whole comment, so the search begins inside the opening.
      this.commentLine(at.content, end, at.content + 2, at.quoted);
      return true;
    }
    if (matchAt(rawElement, content, 0) !== null) {
      this.flush();
      this.rawHtml = !rawElementEnd.test(content);
      this.extendHtml(start, end, at.quoted);
      return true;
    }
    return false;
  }

  /**
   * Handles one line of a comment that began a line. The rest of the line after the comment's end is HTML,
   * not Markdown.
   */
  private commentLine(start: number, end: number, searchFrom: number, quoted: boolean): void {
    const close = this.text.slice(searchFrom, end).indexOf('-->');
    if (close === -1) {
      this.comment = { quoted };
      this.push(start, end, 'comment', quoted);
      return;
    }
    this.comment = null;
    const after = searchFrom + close + 3;
    this.push(start, after, 'comment', quoted);
    if (after < end) {
      this.paragraph = { start: after, end, quoted, html: true };
      this.flush();
    }
  }

  /** Ends the paragraph and finds the code spans and comments in it. */
  private flush(): void {
    const paragraph = this.paragraph;
    this.paragraph = null;
    if (paragraph === null) return;
    const { start, end, quoted, html } = paragraph;
    const text = this.text.slice(start, end);
    const closers = html ? new Map<number, number[]>() : backtickRuns(text);
    const next = /\\.|`+|<!--/gs;
    let done = 0;
    for (let found = next.exec(text); found !== null; found = next.exec(text)) {
      const token = found[0];
      const from = found.index;
      let to: number;
      if (token.startsWith('\\')) {
        // `\<` hides nothing, and in an HTML block a backslash is literal.
        if (html) next.lastIndex = from + 1;
        continue;
      }
      if (token.startsWith('`')) {
        const runs = closers.get(token.length) ?? [];
        while (runs.length > 0 && (runs.at(-1) ?? 0) <= from) runs.pop();
        const close = runs.at(-1);
        if (close === undefined) continue;
        to = close + token.length;
      } else {
        const close = text.indexOf('-->', from + 2);
        to = close === -1 ? text.length : close + 3;
      }
      this.push(start + done, start + from, 'text', quoted);
      this.push(start + from, start + to, token.startsWith('`') ? 'code' : 'comment', quoted);
      done = to;
      next.lastIndex = to;
    }
    this.push(start + done, end, 'text', quoted);
  }
}

/**
 * The positions of runs of backticks by length, last first: the next closer is always at the end of its list.
 */
function backtickRuns(text: string): Map<number, number[]> {
  const runs = new Map<number, number[]>();
  for (const run of text.matchAll(/`+/g)) {
    const known = runs.get(run[0].length);
    if (known === undefined) runs.set(run[0].length, [run.index]);
    else known.push(run.index);
  }
  for (const positions of runs.values()) positions.reverse();
  return runs;
}

export function segmentMarkdown(markdown: string): readonly Segment[] {
  return new Segmenter(markdown).run();
}
