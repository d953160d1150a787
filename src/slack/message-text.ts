/**
 * Decodes a message into the text that its author saw
 * (https://docs.slack.dev/messaging/formatting-message-text#retrieving-messages). Slack encodes a typed `<`,
 * even in code, so angle brackets always belong to Slack.
 */
import { stripHiddenCharacters } from '../core/ask/hidden-characters.ts';

const entityOrBracket = /&(amp|lt|gt);|<([^<>\n]{1,4000})>/g;
const characters: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>' };

function decodeEntities(text: string): string {
  return text.replace(/&(amp|lt|gt);/g, (_, name: string) => characters[name] ?? '');
}

/** The visible text of a link: the label if it is a short form of the URL, else the label and the URL. */
function linkText(url: string, label: string | null): string {
  const address = url.replace(/^(?:mailto|tel):/i, '');
  if (label === null || label.trim() === '' || label === url || label === address) return address;
  const withoutScheme = address.replace(/^https?:\/\//i, '').replace(/\/$/, '');
  if (label.replace(/\/$/, '') === withoutScheme) return label;
  return `${label} (${address})`;
}

function bracketText(inside: string, names: (id: string) => string | null): string {
  const bar = inside.indexOf('|');
  const target = decodeEntities(bar === -1 ? inside : inside.slice(0, bar));
  const label = bar === -1 ? null : decodeEntities(inside.slice(bar + 1));
  const id = target.slice(1);
  if (target.startsWith('@')) return `@${names(id) ?? label ?? id}`;
  if (target.startsWith('#')) return `#${(label === '' ? null : label) ?? names(id) ?? id}`;
  if (target.startsWith('!')) {
    const [kind = '', ...rest] = id.split('^');
    if (kind === 'date') return label ?? rest[0] ?? '';
    if (kind === 'subteam')
      return `@${(label ?? names(rest[0] ?? '') ?? rest[0] ?? 'group').replace(/^@/, '')}`;
    return `@${(label ?? kind).replace(/^@/, '')}`;
  }
  return linkText(target, label);
}

/** `names` resolves ids; null keeps Slack's label or the id. Decodes each entity once. Linear time. */
export function plainText(mrkdwn: string, names: (id: string) => string | null): string {
  const text = mrkdwn.replace(entityOrBracket, (_, entity: string | undefined, inside: string | undefined) =>
    entity === undefined ? bracketText(inside ?? '', names) : (characters[entity] ?? ''),
  );
  return stripHiddenCharacters(text);
}

/** The ids of the mentioned users, each once, in order. */
export function mentionedUsers(mrkdwn: string): readonly string[] {
  const ids = Array.from(
    mrkdwn.matchAll(/<@([UW][A-Z0-9]{1,30})(?:\|[^<>\n]{0,200})?>/g),
    (match) => match[1] ?? '',
  );
  return [...new Set(ids)];
}
