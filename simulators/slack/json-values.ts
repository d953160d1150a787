/** Reading JSON of unknown shape: arguments of Web API calls, blocks, emulate's answers. */
import { z } from 'zod';

export type Json = Readonly<Record<string, unknown>>;

const record = z.record(z.string(), z.unknown());

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Empty for whatever is no object. */
export function jsonOf(value: unknown): Json {
  return isJson(value) ? value : {};
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter((one) => isJson(one)) : [];
}

/** null when it is not the JSON of an object. */
export function parseJsonObject(text: string): Json | null {
  try {
    return record.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** Slack takes structured arguments as JSON, in a form as text of JSON. `undefined` when it is neither. */
export function structured(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
