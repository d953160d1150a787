/** Keeps untrusted words from becoming emoji, which can be images that an organization has added. */

/** Invisible. Between two characters it keeps them from having a meaning together. */
export const zeroWidthSpace = '\u200B';

/** Breaks shortcodes such as `:shipit:`, which GitHub and Slack look for after they have unescaped a text. */
export function breakEmoji(untrustedText: string): string {
  return untrustedText.replace(/:(?=[\w+-]{1,100}:)(?!\d+:)/g, `:${zeroWidthSpace}`);
}
