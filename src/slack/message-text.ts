/**
 * Slack's encoding of a message into the text that its author saw
 * (https://docs.slack.dev/messaging/formatting-message-text#retrieving-messages): entities, and between angle brackets links, people,
 * channels, groups, dates. A `<` that somebody typed arrives as `&lt;`, also in code, so that what is between brackets is always
 * Slack's; code therefore needs no treatment of its own. Decides nothing about who is named; looking names up is the caller's part.
 */
import { stripHiddenCharacters } from '../core/ask/hidden-characters.ts';

const entityOrBracket = /&(amp|lt|gt);|<([^<>\n]{1,4000})>/g;
const characters: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>' };

function decodeEntities(text: string): string {
  return text.replace(/&(amp|lt|gt);/g, (_, name: string) => characters[name] ?? '');
}

/** What a person reads: the label when it is the address written shorter, both when it says something else. */
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

/**
 * `names` knows people by `U…`, groups by `S…` and channels by `C…`; null leaves Slack's own label, or the id. Linear; each entity
 * is decoded once, so that a typed `&lt;` stays one. Characters that nobody sees are removed.
 */
export function plainText(mrkdwn: string, names: (id: string) => string | null): string {
  const text = mrkdwn.replace(entityOrBracket, (_, entity: string | undefined, inside: string | undefined) =>
    entity === undefined ? bracketText(inside ?? '', names) : (characters[entity] ?? ''),
  );
  return stripHiddenCharacters(text);
}

/** Ids of the people that a message names, each once, in order. */
export function mentionedUsers(mrkdwn: string): readonly string[] {
  const ids = Array.from(
    mrkdwn.matchAll(/<@([UW][A-Z0-9]{1,30})(?:\|[^<>\n]{0,200})?>/g),
    (match) => match[1] ?? '',
  );
  return [...new Set(ids)];
}
