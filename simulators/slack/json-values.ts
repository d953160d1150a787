/** Readers for JSON of unknown shape: Web API arguments, blocks, emulate's answers. */
import { z } from 'zod';
import { parseJson } from '../../src/lib/parse-json.ts';

export type Json = Readonly<Record<string, unknown>>;

const record = z.record(z.string(), z.unknown());

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value, or an empty object if it is not an object. */
export function jsonOf(value: unknown): Json {
  return isJson(value) ? value : {};
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter((one) => isJson(one)) : [];
}

/** null unless the text is a JSON object. */
export function parseJsonObject(text: string): Json | null {
  return record.safeParse(parseJson(text)).data ?? null;
}

/** Slack accepts JSON or, in a form, JSON text. undefined if invalid. */
export function structured(value: unknown): unknown {
  return typeof value === 'string' ? parseJson(value) : value;
}
