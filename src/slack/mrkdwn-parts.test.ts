import { describe, expect, it } from 'vitest';
import { renderUntrustedParts } from './mrkdwn-parts.ts';

const word = 'word '.repeat(100).trim();

describe('renderUntrustedParts', () => {
  it.each<[what: string, text: string, maxChars: number, lengths: readonly number[]]>([
    ['a short text in one part', word, 8000, [499]],
    [
      'lines in as few parts as hold them',
      Array.from({ length: 12 }, () => word).join('\n'),
      8000,
      [2499, 2499, 999],
    ],
    ['a long line on several', `${word} `.repeat(8), 8000, [2499, 1499]],
    [
      'what fits, and says what is left out',
      Array.from({ length: 12 }, () => word).join('\n'),
      3000,
      [2499, 42],
    ],
    ['escapes in parts that they fit into', '&'.repeat(1000), 8000, [2500, 2500]],
    ['characters of four bytes whole', '😀'.repeat(2500), 8000, [2504, 2504]],
    ['nothing of an empty text', ' \n', 8000, []],
  ])('renders %s', (_, text, maxChars, lengths) => {
    const parts = renderUntrustedParts(text, maxChars);
    expect(parts.map(({ length }) => length)).toEqual(lengths);
    for (const part of parts) expect(part.isWellFormed()).toBe(true);
  });

  it('closes a fence that continues in the next part, and opens it there', () => {
    const parts = renderUntrustedParts(`a\n~~~~js\n${`${word}\n`.repeat(8)}~~~~\nb`, 8000);
    expect(parts.map((part) => part.replaceAll(word, 'w'))).toEqual([
      'a\n```\nw\nw\nw\nw\nw\n```',
      '```\nw\nw\nw\n```\nb',
    ]);
  });
});
