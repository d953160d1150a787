/** Marks other people's text in a prompt, so that no text can end its own section. */

/** A word that none of the texts contains. Depends on them alone. */
export function boundaryFor(texts: readonly string[]): string {
  const taken = new Set<string>();
  for (const text of texts)
    for (const found of text.matchAll(/airlock-(\d+)/gi)) taken.add(String(Number(found[1])));
  let number = 1;
  while (taken.has(String(number))) number += 1;
  return `AIRLOCK-${number}`;
}

export function section(boundary: string, title: string, untrustedText: string): string {
  return `<<<${boundary} ${title}\n${untrustedText.trim()}\n${boundary}>>>`;
}
