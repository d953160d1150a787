/** JSON that this program writes and reads back, trusted because it was typed when written. */
declare const written: unique symbol;

/** JSON text, branded with the type of its value. */
export type StoredJson<T> = string & { readonly [written]: T };

export function toStoredJson<T>(value: T): StoredJson<T> {
  // oxlint-disable-next-line typescript/consistent-type-assertions, typescript/no-unsafe-type-assertion -- the brand
  return JSON.stringify(value) as StoredJson<T>;
}

export function fromStoredJson<T>(json: StoredJson<T>): T {
  // oxlint-disable-next-line typescript/no-unsafe-return -- the brand says what it is
  return JSON.parse(json);
}
