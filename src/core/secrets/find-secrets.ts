/**
 * Finds credentials of a recognizable form, for precision: no entropy measure (`docs/security.md`). Also in
 * UTF-16, in base64 and wrapped over lines, because files hold all of these. Pure, and linear in the length
 * of a hostile text.
 */
import { embeddedTexts } from './embedded-base64.ts';
import { joinedLines } from './joined-lines.ts';
import { secretShapes, type SecretShape } from './secret-shapes.ts';
import { secretlintMatches, type SecretMatch } from './secretlint-rules.ts';

export interface FoundSecret {
  readonly kind: string;
  /** From 1. */
  readonly line: number;
  /** The secret, or its beginning. Never shown, logged or kept. */
  readonly value: string;
}

interface Match extends SecretMatch {
  readonly value: string;
}

/** Different ones in one text. One with more is no longer read to its end. */
const maxSecrets = 1000;
const tooMany: FoundSecret = { kind: `more than ${maxSecrets} secrets`, line: 1, value: '' };

/** Each secret once. `text` can be a file's bytes, one character for each. */
export function findSecrets(text: string, path = ''): readonly FoundSecret[] {
  const found = new Map<string, FoundSecret>();
  for (const form of text.includes('\0') ? [text, text.replaceAll('\0', '')] : [text]) {
    const lineOf = lineCounter(form);
    for (const { kind, start, value } of matchesIn(form, path.toLowerCase())) {
      if (found.size >= maxSecrets) return [...found.values(), tooMany];
      if (!found.has(value)) found.set(value, { kind, line: lineOf(start), value });
    }
  }
  return [...found.values()];
}

/** What `withoutSecrets` leaves in the place of a secret. Its first group is the kind. */
export const wasHere = /\[((?:an?|the|what) [^\][]{1,80}) was here\]/;
const marker = (kind: string): string => `[${kind} was here]`;

/** Replaces each secret by words. For text that people read, not for files. */
export function withoutSecrets(text: string): string {
  let shown = '';
  let at = 0;
  for (const { kind, start, end } of matchesIn(text, '')) {
    if (end <= at) continue;
    shown += `${text.slice(at, Math.max(at, start))}${start < at ? '' : marker(kind)}`;
    at = Math.max(end, restOfSecret(text, end));
  }
  return at === 0 ? text : shown + text.slice(at);
}

/** Finds where a secret ends beyond its shape: after a key's last line, a token's last characters. */
function restOfSecret(text: string, from: number): number {
  const rest =
    /(?:-----END [A-Z ]{1,40}-----|[A-Za-z0-9+/=_-]|\.(?=[A-Za-z0-9_-])|["'+ \t\r]{0,6}(?:\n|(?:\\r)?\\n(?:["'+ \t\r]{0,6}\n)?)[ \t#*>;|/"'+]{0,8}(?=[A-Za-z0-9+/=_-]{16}|(?:[A-Za-z0-9+/=]{1,76}(?:\r?\n|(?:\\r)?\\n)[ \t]{0,8})?-----END)){0,20000}/y;
  rest.lastIndex = from;
  return from + (rest.exec(text)?.[0].length ?? 0);
}

/** In the order of their places. */
function matchesIn(text: string, path: string): readonly Match[] {
  const joined = joinedLines(text);
  const derived = joined === null ? embeddedTexts(text) : [joined, ...embeddedTexts(text)];
  const matches = [...matchesOf(text, path)];
  const known = new Set(matches.map(({ start }) => start));
  for (const { text: inner, rangeOf } of derived)
    for (const match of matchesOf(inner, path)) {
      const range = rangeOf(match.start, match.end);
      if (!known.has(range.start)) matches.push({ ...match, ...range });
    }
  return matches.sort((a, b) => a.start - b.start);
}

function matchesOf(text: string, path: string): readonly Match[] {
  const matches = [
    ...secretShapes.flatMap((shape) => shapeMatches(text, shape)),
    ...secretlintMatches(text, path),
  ];
  return matches.map((match) => ({ ...match, value: text.slice(match.start, match.end) }));
}

function shapeMatches(text: string, { kind, pattern }: SecretShape): SecretMatch[] {
  const matches: SecretMatch[] = [];
  for (let from = 0; ;) {
    pattern.lastIndex = from;
    const match = pattern.exec(text);
    if (match === null) return matches;
    const isReal = !isPlaceholder(match[0]);
    // A credential may begin inside a placeholder.
    from = match.index + (isReal ? match[0].length : 1);
    if (isReal) matches.push({ kind, start: match.index, end: from });
  }
}

/**
 * Fillers such as `ghp_xxxxxxxx…`: real credentials are random and use many characters. A key of OpenSSH has
 * zeros in its first line.
 */
const isPlaceholder = (match: string): boolean =>
  /EXAMPLE(?:KEY)?$/.test(match) || new Set(match.slice(match.startsWith('-----') ? -64 : -24)).size < 8;

/** Counts lines from the last place on, because places come in order. */
function lineCounter(text: string): (at: number) => number {
  let line = 1;
  let next = text.indexOf('\n');
  return (at) => {
    for (; next >= 0 && next < at; next = text.indexOf('\n', next + 1)) line += 1;
    return line;
  };
}
