/** The input and result of a Web API method, and readers for its arguments. */
import { structured, textOf, type Json } from '../json-values.ts';
import type { Site } from '../site.ts';

export interface Call {
  readonly site: Site;
  readonly method: string;
  /** Strings if sent as a form or query, any JSON value otherwise. Without the token. */
  readonly args: Json;
}

/** Has `error` if `ok` is false. The HTTP status is 200 either way. */
export type Result = Json & { readonly ok: boolean };

export type Method = (call: Call) => Promise<Result>;

export function refuse(error: string, more: Json = {}): Result {
  return { ok: false, error, ...more };
}

/** With details in `response_metadata`, as each method's page shows. */
export function refuseWithMessages(error: string, messages: readonly string[]): Result {
  return refuse(error, { response_metadata: { messages: messages.map((message) => `[ERROR] ${message}`) } });
}

/** Forwards the call to emulate with the app's scopes. */
export async function forward(call: Call, args: Json = call.args): Promise<Result> {
  const answer = await call.site.emulated.call(call.method, args, 'app');
  return { ...answer, ok: answer['ok'] === true };
}

export function missingScope(site: Site, needed: string): Result | null {
  if (site.botScopes.includes(needed)) return null;
  return refuse('missing_scope', { needed, provided: site.botScopes.join(',') });
}

export function text(call: Call, name: string): string {
  return textOf(call.args[name]);
}

export function number(call: Call, name: string, otherwise: number): number {
  const given = Number(call.args[name] ?? otherwise);
  return Number.isFinite(given) && given > 0 ? given : otherwise;
}

export function flag(call: Call, name: string): boolean {
  const value = call.args[name];
  return value === true || value === 1 || ['true', '1'].includes(textOf(value).toLowerCase());
}

/** The parsed JSON argument; undefined if it is missing or not JSON. */
export function argument(call: Call, name: string): unknown {
  return structured(call.args[name]);
}
