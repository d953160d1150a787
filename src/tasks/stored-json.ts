/**
 * JSON that this program wrote itself and reads back: its rows in SQLite, its steps' results. Taken on trust, as it was typed
 * when it was written; whatever comes from outside goes through a schema instead.
 */
declare const written: unique symbol;

/** The text remembers the type of what was put in. */
export type StoredJson<T> = string & { readonly [written]: T };

export function toStoredJson<T>(value: T): StoredJson<T> {
  // oxlint-disable-next-line typescript/consistent-type-assertions, typescript/no-unsafe-type-assertion -- the brand
  return JSON.stringify(value) as StoredJson<T>;
}

export function fromStoredJson<T>(json: StoredJson<T>): T {
  // oxlint-disable-next-line typescript/no-unsafe-return -- the brand says what it is
  return JSON.parse(json);
}
