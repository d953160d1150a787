/** Parses JSON that may be anything. */

/**
 * Returns undefined for text that is not JSON, which no JSON text parses to. The parser's own message is
 * dropped: it quotes the input, and the input is untrusted.
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
