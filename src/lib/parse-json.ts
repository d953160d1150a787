/** Parses JSON that may be anything. */

/** Undefined for what is not JSON. The parser's message is dropped, because it quotes the input. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
