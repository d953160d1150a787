import { describe, expect, it } from 'vitest';
import { answerJsonSchema, answerOf, maxSummaryCharacters, maxTitleCharacters } from './answer.ts';
import { initialProgress } from './progress.ts';

const answer = (finalMessage: string | null, message: string | null = null) =>
  answerOf({ ...initialProgress, finalMessage, message });

describe('answerOf', () => {
  it('returns title and summary unchanged if they match the schema', () => {
    expect(answer('{"title":"Fix rounding","summary":"It **was** wrong.\\n\\n- a"}')).toEqual({
      title: 'Fix rounding',
      summary: 'It **was** wrong.\n\n- a',
      valid: true,
    });
  });

  it.each([
    ['several lines', 'One\ntwo', 'One'],
    ['a heading', '## Fix it', 'Fix it'],
    ['emphasis and code', '**Fix** `split()` in _all_ cases', 'Fix split() in all cases'],
    ['a link', 'Fix [this](https://evil.example/x)', 'Fix this'],
    ['mentions', 'Thank @octocat and @acme/team', 'Thank octocat and acme/team'],
    ['an address', 'Mail a@b.example', 'Mail ab.example'],
    ['bidi controls', 'Fix \u202Egnp.exe', 'Fix gnp.exe'],
    ['terminal escapes', '\u001b[31mFix\u001b[0m \u001b]8;;https://evil.example\u0007it', 'Fix it'],
    ['names with underscores', 'Rename my_long_name', 'Rename my_long_name'],
  ])('makes one plain line of a title with %s', (_, title, plain) => {
    expect(answer(JSON.stringify({ title, summary: 's' }))).toMatchObject({ title: plain, valid: true });
  });

  it('caps title and summary', () => {
    const long = answer(JSON.stringify({ title: 'x'.repeat(500), summary: 'y'.repeat(50_000) }));
    expect(long.title).toHaveLength(maxTitleCharacters);
    expect(long.summary).toHaveLength(maxSummaryCharacters);
    expect(long.valid).toBe(true);
  });

  it.each([
    ['missing', null],
    ['empty', ''],
    ['another shape', '{"title":"t"}'],
    ['extra fields', '{"title":"t","summary":"s","label":"x"}'],
    ['wrong types', '{"title":1,"summary":["s"]}'],
    ['an array', '[1]'],
    ['null', 'null'],
    ['cut JSON', '{"title":"t","summ'],
    ['a title without visible characters', '{"title":"\\u200b\\u202e","summary":"s"}'],
  ])('falls back to usable text if the answer is %s', (_, finalMessage) => {
    const fallback = answer(finalMessage);
    expect(fallback.valid).toBe(false);
    expect(fallback.title).not.toBe('');
    expect(fallback.title).not.toMatch(/[{}[\]"]/);
    expect(fallback.summary).not.toBe('');
  });

  it('uses prose as the summary and its first line as the title', () => {
    expect(answer('# Fixed it\n\nBy hand.')).toEqual({
      title: 'Fixed it',
      summary: '# Fixed it\n\nBy hand.',
      valid: false,
    });
    expect(answer('{"oops":', 'I changed split().')).toMatchObject({
      title: 'I changed split().',
      valid: false,
    });
  });
});

it('the answer schema has the strict form: everything required, nothing else allowed', () => {
  expect(answerJsonSchema.additionalProperties).toBe(false);
  expect([...answerJsonSchema.required].toSorted()).toEqual(
    Object.keys(answerJsonSchema.properties).toSorted(),
  );
});
