/**
 * Parses a shell command as far as exit statuses need it. Never throws; bounded by its untrusted input.
 * `shell-quote` 1.12 misreads newlines, here-documents and substitutions, and full parsers are larger than
 * this Worker.
 */

export interface SimpleCommand {
  readonly kind: 'command';
  /** Unquoted, without redirections. A substitution is `$()`. */
  readonly words: readonly string[];
  /** Scripts that its words and redirections substitute, and its here-documents. */
  readonly substituted: readonly string[];
  readonly heredocs: readonly string[];
}

export type ShellNode =
  | SimpleCommand
  | { readonly kind: 'pipeline'; readonly parts: readonly ShellNode[] }
  | { readonly kind: 'and' | 'or'; readonly left: ShellNode; readonly right: ShellNode }
  | { readonly kind: 'subshell' | 'background'; readonly body: ShellNode }
  | { readonly kind: 'list'; readonly items: readonly ShellNode[] };

export interface ShellScript {
  readonly node: ShellNode;
  /** False if keywords, functions or a syntax error hide when the commands run. */
  readonly plain: boolean;
}

type Token =
  | { kind: 'word'; text: string; quoted: boolean; scripts: string[] }
  | { kind: 'operator'; text: string }
  | { kind: 'redirection'; scripts: string[] }
  | { kind: 'heredoc'; body: string };
type Word = Extract<Token, { kind: 'word' }>;

const keywords = new Set(
  'if then elif else fi for while until do done case esac select function coproc { } !'.split(' '),
);
const maxNesting = 20;

export function parseShell(text: string): ShellScript {
  const { tokens, complete } = tokenize(text);
  let plain = complete;
  let at = 0;
  let nesting = 0;

  const operator = (...texts: readonly string[]): string | null => {
    const token = tokens[at];
    return token?.kind === 'operator' && texts.includes(token.text) ? token.text : null;
  };
  const accept = (...texts: readonly string[]): string | null => {
    const found = operator(...texts);
    if (found !== null) at += 1;
    return found;
  };
  const skipNewlines = (): void => {
    while (accept('\n') !== null);
  };

  function list(): ShellNode {
    const items: ShellNode[] = [];
    while (at < tokens.length) {
      if (accept(';', '\n') !== null) continue;
      if (operator(')') !== null) {
        if (nesting > 0) break;
        plain = false;
        at += 1;
        continue;
      }
      const before = at;
      const body = andOr();
      items.push(accept('&') === null ? body : { kind: 'background', body });
      if (at === before) {
        plain = false;
        at += 1;
      }
    }
    return { kind: 'list', items };
  }

  function andOr(): ShellNode {
    let left = pipeline();
    for (;;) {
      const joined = accept('&&', '||');
      if (joined === null) return left;
      skipNewlines();
      left = { kind: joined === '&&' ? 'and' : 'or', left, right: pipeline() };
    }
  }

  function pipeline(): ShellNode {
    const first = command();
    const parts = [first];
    while (accept('|', '|&') !== null) {
      skipNewlines();
      parts.push(command());
    }
    return parts.length === 1 ? first : { kind: 'pipeline', parts };
  }

  function command(): ShellNode {
    if (nesting < maxNesting && accept('(') !== null) {
      nesting += 1;
      const body = list();
      nesting -= 1;
      if (accept(')') === null) plain = false;
      // Redirections of the subshell.
      while (tokens[at] !== undefined && tokens[at]?.kind !== 'operator') at += 1;
      return { kind: 'subshell', body };
    }
    return simpleCommand();
  }

  function simpleCommand(): ShellNode {
    const words: string[] = [];
    const substituted: string[] = [];
    const heredocs: string[] = [];
    for (; at < tokens.length; at += 1) {
      const token = tokens[at];
      if (token === undefined) break;
      if (token.kind === 'operator') {
        if (token.text !== '(') break;
        plain = false;
      } else if (token.kind === 'heredoc') heredocs.push(token.body);
      else {
        substituted.push(...token.scripts);
        if (token.kind === 'redirection') continue;
        if (words.length === 0 && !token.quoted && keywords.has(token.text)) plain = false;
        else words.push(token.text);
      }
    }
    return { kind: 'command', words, substituted, heredocs };
  }

  const node = list();
  return { node, plain };
}

/** `complete`: false if a quote, a substitution or a here-document does not end. */
function tokenize(text: string): { tokens: readonly Token[]; complete: boolean } {
  const tokens: Token[] = [];
  const open: { delimiter: string; token: Extract<Token, { kind: 'heredoc' }> }[] = [];
  let complete = true;
  let at = 0;

  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? null;
    at += found?.length ?? 0;
    return found;
  };
  /** Takes the text before `end` and moves behind it. */
  const takeUntil = (end: number, skip = 1): string => {
    if (end < 0) complete = false;
    const taken = end < 0 ? text.slice(at) : text.slice(at, end);
    at += taken.length + (end < 0 ? 0 : skip);
    return taken;
  };

  /** Reads `$(…)`, `` `…` ``, `<(…)` and `>(…)`; false if there is none here. */
  function substitution(word: Word): boolean {
    if (take(/`/y) !== null) {
      word.scripts.push(takeUntil(unescaped(text, '`', at)).replaceAll('\\`', '`'));
    } else if (take(/[$<>]\(/y) !== null) word.scripts.push(takeUntil(closingParenthesis(text, at)));
    else return false;
    word.text += '$()';
    return true;
  }

  function doubleQuoted(word: Word): void {
    for (;;) {
      const plain = take(/(?:[^"\\$`]|\$(?!\())+/y);
      if (plain !== null) word.text += plain;
      else if (take(/"/y) !== null) return;
      else if (take(/\\\n/y) !== null) continue;
      else if (take(/\\/y) !== null) word.text += take(/["\\$`]/y) ?? '\\';
      else if (!substitution(word)) {
        complete = false;
        return;
      }
    }
  }

  function word(): Word | null {
    const read: Word = { kind: 'word', text: '', quoted: false, scripts: [] };
    const start = at;
    for (;;) {
      const plain = take(/(?:[^\s;&|()<>'"\\$`]|\$(?![('"]))+/y);
      if (plain !== null) read.text += plain;
      else if (take(/\\\n/y) !== null) continue;
      else if (take(/\\/y) !== null) read.text += take(/./suy) ?? '';
      else if (take(/\$'/y) !== null) read.text += takeUntil(unescaped(text, "'", at));
      else if (take(/'/y) !== null) read.text += takeUntil(text.indexOf("'", at));
      else if (take(/\$?"/y) !== null) doubleQuoted(read);
      else if (!substitution(read)) break;
      if (plain === null) read.quoted = true;
    }
    return at === start ? null : read;
  }

  function redirection(found: string): void {
    take(/[ \t]+/y);
    const target = word();
    if (target === null) complete = false;
    else if (/^\d*<<-?$/.test(found)) {
      const token: Token = { kind: 'heredoc', body: '' };
      tokens.push(token);
      open.push({ delimiter: target.text, token });
    } else tokens.push({ kind: 'redirection', scripts: target.scripts });
  }

  function heredocBodies(): void {
    for (const { delimiter, token } of open.splice(0)) {
      const lines = text.slice(at).split('\n');
      const end = lines.findIndex((line) => line.replace(/^\t+/, '') === delimiter);
      const body = lines.slice(0, end < 0 ? lines.length : end).join('\n');
      token.body = body;
      if (end < 0) complete = false;
      at = Math.min(text.length, at + body.length + (end < 0 ? 0 : delimiterEnd(lines, end)));
    }
  }

  while (at < text.length) {
    if (take(/(?:[^\S\n]|\\\n)+/y) !== null) continue;
    if (take(/#[^\n]*/y) !== null) continue;
    const redirected = take(/(?:\d+(?=[<>])|&(?=>))?(?:<<<|<<-?|>>|[<>]&|<>|>\||[<>](?!\())/y);
    if (redirected !== null) {
      redirection(redirected);
      continue;
    }
    const operator = take(/&&|\|\||\|&|[;&|()\n]/y);
    if (operator === null) {
      const read = word();
      if (read !== null) tokens.push(read);
    } else {
      tokens.push({ kind: 'operator', text: operator });
      if (operator === '\n') heredocBodies();
    }
  }
  return { tokens, complete: complete && open.length === 0 };
}

/** Characters from the end of a here-document's body to the end of its delimiter's line. */
function delimiterEnd(lines: readonly string[], end: number): number {
  return (end === 0 ? 0 : 1) + (lines[end]?.length ?? 0);
}

function unescaped(text: string, wanted: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === wanted) return at;
  }
  return -1;
}

/** The parenthesis that closes a substitution; -1 if there is none. Skips quoted ones. */
function closingParenthesis(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at += 1) {
    const character = text[at];
    if (character === '\\') at += 1;
    else if (character === '(') depth += 1;
    else if (character === "'" || character === '"') {
      at = character === "'" ? text.indexOf("'", at + 1) : unescaped(text, '"', at + 1);
      if (at < 0) return -1;
    } else if (character === ')') {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return -1;
}
