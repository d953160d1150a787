/** Tells a person's own words in a new issue from those of a comment or a discussion that it was made of. */
import type { Displayed } from '../core/ask/mention.ts';

/** GitHub's line for "Reference in new issue": what it refers to is not the words of who opens the issue. */
const reference = /^[^\p{L}\p{N}\n]*originally posted by\b/iu;
const referenceInSource = /^[\s>*_]*(?:<sup>)?[\s*_]*originally posted by\s+(?:@|\*\*)/im;
/** A discussion's text follows the line, and a comment's precedes it. */
const ofDiscussion = /originally posted by \*\*/i;

/** `source`: the Markdown, because a comment can hide the line that GitHub wrote below it. */
export function quoteReferenced(displayed: Displayed, source: string): Displayed {
  const { text, addressable } = displayed;
  const lines = text.split('\n');
  const last = lines.findLastIndex((line) => reference.test(line));
  if (last === -1 && !referenceInSource.test(source)) return displayed;
  const own = last === -1 || ofDiscussion.test(lines[last] ?? '') ? lines.length : last + 1;
  const masks = addressable.split('\n');
  return {
    text: lines.map((line, index) => (index < own ? `> ${line}` : line)).join('\n'),
    addressable: lines
      .map((line, index) => (index < own ? ' '.repeat(line.length + 2) : (masks[index] ?? '')))
      .join('\n'),
  };
}
