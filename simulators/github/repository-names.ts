/** Validates and compares repository names. */

/** A lookup key, because GitHub matches owner and name case-insensitively. */
export const nameKey = (owner: string, name: string): string => `${owner}/${name}`.toLowerCase();

export function requireName(name: string): void {
  if (!/^[A-Za-z0-9_.-]{1,100}$/.test(name) || /^\.+$/.test(name))
    throw new Error(`GitHub would not accept the name ${name}`);
}
