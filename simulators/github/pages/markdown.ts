/**
 * Renders the subset of Markdown that issues and Airlock's comments use. Escapes all text; the only raw HTML
 * allowed is details, summary, br, kbd, sub, sup and plain emphasis tags, without attributes.
 */
import { inline } from './markdown-inline.ts';
import { escapeHtml } from '../../pages/html.ts';

/** Quotes and lists nested deeper are shown as text, to bound the recursion. */
const maxDepth = 8;

/** Renders untrusted Markdown as safe HTML. Cuts input at GitHub's limit of 65,536 characters. */
export function renderMarkdown(untrustedText: string): string {
  const visible = untrustedText.slice(0, 65_536).replaceAll('\r\n', '\n').replaceAll('\0', '');
  return blocks(withoutComments(visible).split('\n'), 0);
}

/** Removes HTML comments, which GitHub hides, except inside code fences. */
function withoutComments(text: string): string {
  return text.replaceAll(
    /^(```|~~~)[^\n]*\n[\s\S]*?(?:\n\1[^\n]*$|(?![\s\S]))|<!--[\s\S]*?(?:-->|$(?![\s\S]))/gm,
    (found) => (found.startsWith('<!--') ? '' : found),
  );
}

function blocks(lines: readonly string[], depth: number): string {
  if (depth > maxDepth) return `<p>${escapeHtml(lines.join('\n'))}</p>`;
  const html: string[] = [];
  for (let at = 0; at < lines.length;) {
    const block = blockAt(lines, at, depth);
    html.push(block.html);
    at = block.next;
  }
  return html.filter((part) => part !== '').join('\n');
}

interface Block {
  readonly html: string;
  /** Index of the first line after the block. */
  readonly next: number;
}

const item = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const rule = /^ {0,3}([-*_])\s*(?:\1\s*){2,}$/;
const htmlLine = /^\s*<\/?(details|summary)(\s+open)?\s*>/i;

function blockAt(lines: readonly string[], at: number, depth: number): Block {
  const line = lines[at] ?? '';
  if (line.trim() === '') return { html: '', next: at + 1 };
  const fence = /^\s{0,3}(`{3,}|~{3,})\s*([\w+-]*)/.exec(line);
  if (fence !== null) return fenced(lines, at, fence[1] ?? '```', fence[2] ?? '');
  const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line);
  if (heading !== null) {
    const level = heading[1]?.length ?? 1;
    return { html: `<h${level}>${inline(heading[2] ?? '')}</h${level}>`, next: at + 1 };
  }
  if (rule.test(line)) return { html: '<hr>', next: at + 1 };
  if (htmlLine.test(line)) return { html: inline(line.trim()), next: at + 1 };
  if (line.startsWith('>')) {
    const next = endOf(lines, at, (one) => one.startsWith('>'));
    const inner = lines.slice(at, next).map((one) => one.replace(/^> ?/, ''));
    return { html: quote(inner, depth), next };
  }
  if (isTable(lines, at)) return table(lines, at);
  if (item.test(line)) return list(lines, at, depth);
  const next = endOf(lines, at + 1, (one) => continuesParagraph(one));
  return { html: `<p>${lines.slice(at, next).map(inline).join('<br>')}</p>`, next };
}

function endOf(lines: readonly string[], from: number, belongs: (line: string) => boolean): number {
  let at = from;
  while (at < lines.length && belongs(lines[at] ?? '')) at += 1;
  return at;
}

function continuesParagraph(line: string): boolean {
  return (
    line.trim() !== '' &&
    !/^(#{1,6}\s|>|\s{0,3}(```|~~~))/.test(line) &&
    !item.test(line) &&
    !htmlLine.test(line) &&
    !rule.test(line)
  );
}

function fenced(lines: readonly string[], at: number, mark: string, language: string): Block {
  const end = endOf(lines, at + 1, (line) => !line.trimStart().startsWith(mark));
  const code = lines.slice(at + 1, end).join('\n');
  const kind = language === '' ? '' : ` class="language-${escapeHtml(language)}"`;
  return { html: `<pre><code${kind}>${escapeHtml(code)}</code></pre>`, next: end + 1 };
}

/** Renders a quote, or a GitHub alert if the first line is a marker such as `[!NOTE]`. */
function quote(lines: readonly string[], depth: number): string {
  const alert = /^\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*$/.exec(lines[0] ?? '')?.[1];
  if (alert === undefined) return `<blockquote>${blocks(lines, depth + 1)}</blockquote>`;
  const title = alert[0] + alert.slice(1).toLowerCase();
  return `<div class="alert alert-${alert.toLowerCase()}"><p class="alert-title">${title}</p>${blocks(lines.slice(1), depth + 1)}</div>`;
}

function cells(line: string): string[] {
  const inner = line.trim().replace(/^\|/, '').replace(/\|$/, '');
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
}

function isTable(lines: readonly string[], at: number): boolean {
  const [head = '', under = ''] = lines.slice(at, at + 2);
  return (
    head.includes('|') &&
    under.includes('-') &&
    /^[\s|:-]+$/.test(under) &&
    cells(head).length === cells(under).length
  );
}

function table(lines: readonly string[], at: number): Block {
  const next = endOf(lines, at + 2, (line) => line.includes('|') && line.trim() !== '');
  const aligned = cells(lines[at + 1] ?? '').map((cell) =>
    cell.endsWith(':') ? (cell.startsWith(':') ? 'center' : 'right') : 'left',
  );
  const row = (line: string, tag: 'th' | 'td'): string => {
    const all = cells(line).slice(0, aligned.length);
    return `<tr>${all.map((cell, index) => `<${tag} class="${aligned[index] ?? 'left'}">${inline(cell)}</${tag}>`).join('')}</tr>`;
  };
  const body = lines.slice(at + 2, next).map((line) => row(line, 'td'));
  return {
    html: `<div class="scroll"><table><thead>${row(lines[at] ?? '', 'th')}</thead><tbody>${body.join('')}</tbody></table></div>`,
    next,
  };
}

function list(lines: readonly string[], at: number, depth: number): Block {
  const first = item.exec(lines[at] ?? '');
  const indent = first?.[1]?.length ?? 0;
  const ordered = /\d/.test(first?.[2] ?? '');
  const items: string[][] = [];
  let next = at;
  for (; next < lines.length; next += 1) {
    const line = lines[next] ?? '';
    const found = item.exec(line);
    const deeper = /^\s*/.exec(line)?.[0].length ?? 0;
    if (found !== null && (found[1]?.length ?? 0) <= indent) {
      if ((found[1]?.length ?? 0) < indent || /\d/.test(found[2] ?? '') !== ordered) break;
      items.push([found[3] ?? '']);
    } else if (line.trim() === '') {
      const following = lines[next + 1] ?? '';
      const goesOn = (item.exec(following)?.[1]?.length ?? -1) >= indent || /^\s{2,}\S/.test(following);
      if (!goesOn) break;
      items.at(-1)?.push('');
    } else if (deeper > indent || continuesParagraph(line)) {
      items.at(-1)?.push(line.slice(Math.min(deeper, indent + 2)));
    } else break;
  }
  const tag = ordered ? 'ol' : 'ul';
  return { html: `<${tag}>${items.map((inner) => listItem(inner, depth)).join('')}</${tag}>`, next };
}

function listItem(lines: readonly string[], depth: number): string {
  const task = /^\[([ xX])\]\s+/.exec(lines[0] ?? '');
  const inner = task === null ? lines : [(lines[0] ?? '').slice(task[0].length), ...lines.slice(1)];
  const html = blocks(inner, depth + 1).replace(/^<p>([\s\S]*?)<\/p>/, '$1');
  if (task === null) return `<li>${html}</li>`;
  const checked = task[1] === ' ' ? '' : ' checked';
  return `<li class="task"><input type="checkbox" disabled${checked}> ${html}</li>`;
}
