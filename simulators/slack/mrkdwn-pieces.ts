/**
 * Slack's mrkdwn as a person's client reads it, as far as messages here need it: mentions, links, bold, italic, strike, code.
 * Decides nothing about how a piece looks. https://docs.slack.dev/messaging/formatting-message-text
 */
export interface Piece {
  readonly kind: 'text' | 'code' | 'block' | 'mention' | 'link';
  /** Decoded: what is read, not what was sent. */
  readonly text: string;
  /** Of links only; `http`, `https` or `mailto`. */
  readonly url: string | null;
  readonly bold: boolean;
  readonly italic: boolean;
  readonly strike: boolean;
}

/** Names by id; null for nobody. */
export interface Names {
  readonly person: (id: string) => string | null;
  readonly channel: (id: string) => string | null;
}

const special = /```([\s\S]*?)```|`([^`\n]+)`|<([^<>\n]+)>|([*_~])/g;
const marks = { '*': 'bold', _: 'italic', '~': 'strike' } as const;
type Mark = (typeof marks)[keyof typeof marks];

export function mrkdwnPieces(mrkdwn: string, names: Names): readonly Piece[] {
  const pieces: Piece[] = [];
  const on: Record<Mark, boolean> = { bold: false, italic: false, strike: false };
  const add = (kind: Piece['kind'], text: string, url: string | null = null): void => {
    if (text !== '') pieces.push({ kind, text, url, ...on });
  };
  let from = 0;
  for (const match of mrkdwn.matchAll(special)) {
    const [whole, block, code, inside, character] = match;
    const mark = character === undefined ? null : markOf(character);
    if (mark !== null && !(on[mark] ? closes(mrkdwn, match.index) : opens(mrkdwn, match.index))) continue;
    add('text', decoded(mrkdwn.slice(from, match.index)));
    from = match.index + whole.length;
    if (mark !== null) on[mark] = !on[mark];
    else if (block !== undefined) add('block', decoded(block).replace(/^\n/, ''));
    else if (code !== undefined) add('code', decoded(code));
    else addReference(add, inside ?? '', names);
  }
  add('text', decoded(mrkdwn.slice(from)));
  return pieces;
}

const markOf = (character: string): Mark | null =>
  character === '*' || character === '_' || character === '~' ? marks[character] : null;

/** At the start of a word, and closed further on in the line. */
function opens(text: string, at: number): boolean {
  const character = text.charAt(at);
  if (!/^$|[\s(*_~]/.test(text.charAt(at - 1)) || /^$|\s/.test(text.charAt(at + 1))) return false;
  for (let next = at + 2; next < text.length && text.charAt(next) !== '\n'; next += 1)
    if (text.charAt(next) === character && closes(text, next)) return true;
  return false;
}

function closes(text: string, at: number): boolean {
  return !/^$|\s/.test(text.charAt(at - 1)) && /^$|[\s).,:;!?*_~]/.test(text.charAt(at + 1));
}

/** What is between angle brackets: a person, a channel, a broadcast or a link. */
function addReference(
  add: (kind: Piece['kind'], text: string, url?: string) => void,
  inside: string,
  names: Names,
): void {
  const [target = '', label] = inside.split('|');
  const id = target.slice(1);
  if (target.startsWith('@')) add('mention', `@${names.person(id) ?? label ?? id}`);
  else if (target.startsWith('#')) add('mention', `#${names.channel(id) ?? label ?? id}`);
  else if (target.startsWith('!')) add('mention', label ?? `@${id}`);
  else if (/^(https?:\/\/|mailto:)/.test(target)) add('link', decoded(label ?? target), decoded(target));
  else add('text', decoded(`<${inside}>`));
}

/** Slack's three entities; others are text. */
function decoded(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
