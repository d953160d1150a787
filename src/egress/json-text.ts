/**
 * Parses a JSON body, or refuses what two parsers could read differently: duplicate keys, `__proto__`,
 * ill-formed text, numbers that no double holds. A scan bounds the cost before `JSON.parse`, and sees the
 * duplicates.
 */
import { egressLimits } from './limits.ts';
import { parseJson } from '../lib/parse-json.ts';
import { utf8Of } from '../lib/utf8.ts';

export type JsonProblem = 'utf8' | 'json' | 'depth' | 'values' | 'duplicate-key' | 'number' | 'text';
export type JsonText =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'problem'; readonly problem: JsonProblem };

export function readJson(bytes: Uint8Array): JsonText {
  const problem = (problem: JsonProblem): JsonText => ({ kind: 'problem', problem });
  const text = utf8Of(bytes);
  // Some parsers skip a byte order mark, ours does not, and no client of ours sends one.
  if (text === null || text.startsWith('\uFEFF')) return problem('utf8');
  const scanned = scan(text);
  if (scanned !== null) return problem(scanned);
  const value = parseJson(text);
  if (value === undefined) return problem('json');
  const wrong = wrongInside(value);
  return wrong === null ? { kind: 'value', value } : problem(wrong);
}

/** Makes one pass over the text. Text that is no JSON can get through; parsing refuses it afterwards. */
function scan(text: string): JsonProblem | null {
  /** One for each open bracket: an object's keys (null before the first), undefined for an array. */
  const open: (Set<string> | null | undefined)[] = [];
  let values = 1;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charAt(at)) {
      case '{':
      case '[':
        if (open.length >= egressLimits.jsonDepth) return 'depth';
        open.push(text[at] === '{' ? null : undefined);
        values += 1;
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case ',':
        values += 1;
        break;
      case '"': {
        const end = endOfString(text, at);
        if (end === -1) return 'json';
        const keys = open.at(-1);
        if (keys !== undefined && isKey(text, end)) {
          const key = parseJson(text.slice(at, end + 1));
          if (typeof key !== 'string') return 'json';
          // A parser that assigns this key instead of defining it changes the value's prototype.
          if (keys?.has(key) === true || key === '__proto__') return 'duplicate-key';
          if (keys === null) open[open.length - 1] = new Set([key]);
          else keys.add(key);
        }
        at = end;
        break;
      }
      default: // inside a number or a word, or space
    }
    if (values > egressLimits.jsonValues) return 'values';
  }
  return null;
}

/** Finds the closing quote; -1 when there is none. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; at += 1) {
    const quote = text.indexOf('"', at);
    if (quote === -1) return -1;
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === '\\') backslashes += 1;
    // The count ends at the opening quote at the latest: it is no backslash.
    if (backslashes % 2 === 0) return quote;
    at = quote;
  }
}

function isKey(text: string, end: number): boolean {
  let at = end + 1;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at += 1;
  return text[at] === ':';
}

/** Recursion is bounded by the scan. */
function wrongInside(value: unknown): JsonProblem | null {
  if (typeof value === 'string') return value.isWellFormed() ? null : 'text';
  if (typeof value === 'number') return Number.isFinite(value) ? null : 'number';
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, inner] of Object.entries(value)) {
    const problem = key.isWellFormed() ? wrongInside(inner) : 'text';
    if (problem !== null) return problem;
  }
  return null;
}
