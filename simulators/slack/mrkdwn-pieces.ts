/** Parses the mrkdwn that this project uses into pieces. docs.slack.dev/messaging/formatting-message-text */
export interface Piece {
  readonly kind: 'text' | 'code' | 'block' | 'mention' | 'link';
  /** Visible text, with entities decoded. */
  readonly text: string;
  /** `http`, `https` or `mailto`; null unless the piece is a link. */
  readonly url: string | null;
  readonly bold: boolean;
  readonly italic: boolean;
  readonly strike: boolean;
}

/** Resolves ids to names; null if unknown. */
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

/** Whether a mark is at the start of a word and closed later in the same line. */
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

/** Adds the content of angle brackets: a user, a channel, a broadcast or a link. */
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

/** Decodes Slack's three entities. */
function decoded(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
