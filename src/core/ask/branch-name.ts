/** Decides which names git accepts as a branch and Airlock as a base. */

// Control characters, space, and the characters that `git check-ref-format` refuses anywhere in a name.
// eslint-disable-next-line no-control-regex -- the rule of git names them
const refused = /[\u0000-\u0020\u007F~^:?*[\\]/;

/** The rules of `git check-ref-format --branch`, 255 bytes (GitHub), and neither `HEAD` nor `refs/…`. */
export function isBranchName(name: string): boolean {
  if (name === '' || new TextEncoder().encode(name).length > 255) return false;
  if (name === '@' || name.toUpperCase() === 'HEAD' || name.startsWith('refs/')) return false;
  if (refused.test(name) || name.startsWith('-') || name.endsWith('.')) return false;
  if (name.includes('..') || name.includes('@{')) return false;
  return name.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'));
}

/** Bytes. Leaves room below the 255 of a ref for what the publisher appends: at most 51. */
const maxPrefixBytes = 100;

/** True if the prefix makes a branch name with any words appended to it, such as `fix-rounding-0a1b2c3d`. */
export function isBranchPrefix(prefix: string): boolean {
  if (prefix === '' || new TextEncoder().encode(prefix).length > maxPrefixBytes) return false;
  return isBranchName(`${prefix}x`);
}
