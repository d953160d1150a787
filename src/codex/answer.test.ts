import { describe, expect, it } from 'vitest';
import {
  answerJsonSchema,
  answerOf,
  maxPullRequestTextCharacters,
  maxReplyCharacters,
  maxSummaryCharacters,
  maxTitleCharacters,
  replyOf,
} from './answer.ts';
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
    ['emphasis and code', '**Fix** `split()` in **all** cases', 'Fix split() in all cases'],
    ['a link', 'Fix [this](https://evil.example/x)', 'Fix this'],
    ['names of packages', 'Add @types/node and `@scope/x`', 'Add @types/node and @scope/x'],
    ['an address', 'Mail a@b.example', 'Mail a@b.example'],
    ['double underscores', 'Add __init__ and __tests__/x.py', 'Add __init__ and __tests__/x.py'],
    ['single underscores', 'Rename _id_ to id', 'Rename _id_ to id'],
    ['patterns', 'Match **/*.ts and **/*.js, not *.d.ts', 'Match **/*.ts and **/*.js, not *.d.ts'],
    ['a product', 'Compute 2 * 3 * 4, a*b*c and x**y', 'Compute 2 * 3 * 4, a*b*c and x**y'],
    ['a tilde', 'Read ~/.npmrc and ~~old', 'Read ~/.npmrc and ~~old'],
    ['an index', 'Handle a[i](x)', 'Handle a[i](x)'],
    ['a flag', '-O2 is the default', '-O2 is the default'],
    ['a list mark', '- Fix it', 'Fix it'],
    ['bidi controls', 'Fix \u202Egnp.exe', 'Fix gnp.exe'],
    ['terminal escapes', '\u001b[31mFix\u001b[0m \u001b]8;;https://evil.example\u0007it', 'Fix it'],
    ['names with underscores', 'Rename my_long_name', 'Rename my_long_name'],
  ])('makes one plain line of a title with %s', (_, title, plain) => {
    expect(answer(JSON.stringify({ title, summary: 's' }))).toMatchObject({ title: plain, valid: true });
  });

  it.each<[string, unknown, unknown]>([
    ['null', null, undefined],
    ['no list', 'done', undefined],
    ['an empty list', [], undefined],
    ['whole', [{ id: 5, text: ' Renamed  it.\n\nTwice. ' }], [{ id: 5, text: 'Renamed it. Twice.' }]],
    [
      'partly malformed',
      [{ id: '5', text: 'x' }, null, { id: 7 }, { id: 6, text: 'y' }],
      [{ id: 6, text: 'y' }],
    ],
    [
      'empty, or about one comment twice',
      [
        { id: 1, text: '\u200b' },
        { id: 2, text: 'a' },
        { id: 2, text: 'b' },
      ],
      [{ id: 2, text: 'a' }],
    ],
    [
      'too long',
      [{ id: 1, text: 'x'.repeat(5000) }],
      [{ id: 1, text: `${'x'.repeat(maxReplyCharacters - 1)}…` }],
    ],
  ])('reads the replies to line comments if they are %s, and keeps the rest', (_, replies, read) => {
    const { title, replies: found } = answer(JSON.stringify({ title: 't', summary: 's', replies }));
    expect([title, found]).toEqual(['t', read]);
  });

  it.each<[unknown, string | undefined]>([
    ['## What\n\n- [x] It', '## What\n\n- [x] It'],
    [null, undefined],
    [undefined, undefined],
    ['\u200b ', undefined],
    [7, undefined],
    ['x'.repeat(20_000), `${'x'.repeat(maxPullRequestTextCharacters - 1)}…`],
  ])('reads the filled-in template %j, and keeps the rest', (pullRequestText, read) => {
    const { title, pullRequestText: found } = answer(
      JSON.stringify({ title: 't', summary: 's', pullRequestText }),
    );
    expect([title, found]).toEqual(['t', read]);
  });

  it('reads a template that was cut', () => {
    expect(answer('{"title":"t","summary":"s","pullRequestText":"## What\\n\\nIt ro')).toMatchObject({
      summary: 's',
      pullRequestText: '## What\n\nIt ro',
    });
  });

  it('caps title and summary', () => {
    const long = answer(JSON.stringify({ title: 'x'.repeat(500), summary: 'y'.repeat(50_000) }));
    expect(long.title).toHaveLength(maxTitleCharacters);
    expect(long.summary).toHaveLength(maxSummaryCharacters);
    expect(long.valid).toBe(true);
  });

  it.each([
    ['in a fence', '```json\n{"title":"Fix it","summary":"Was wrong."}\n```'],
    ['in a fence without a language', '```\n{"title":"Fix it","summary":"Was wrong."}\n```\n'],
    [
      'in a fence with words around it',
      'Done:\n\n```json\n{"title":"Fix it","summary":"Was wrong."}\n```\nBye.',
    ],
    ['with words around it', 'Here it is: {"title":"Fix it","summary":"Was wrong."} Bye.'],
    ['with further fields', '{"title":"Fix it","label":"x","summary":"Was wrong."}'],
  ])('reads an answer %s', (_, finalMessage) => {
    expect(answer(finalMessage)).toEqual({ title: 'Fix it', summary: 'Was wrong.', valid: true });
  });

  it.each([
    ['at its end', (text: string) => text.slice(0, 20_000)],
    ['within an escape', (text: string) => `${text.slice(0, 15_000)}\\`],
    ['within a code point', (text: string) => `${text.slice(0, 15_000)}\\u00`],
    ['in its middle', (text: string) => `${text.slice(0, 9_000)}\n[… 9 cut …]\n${text.slice(-9_000)}`],
  ])('cuts an answer that was cut %s, and does not lose it', (_, cut) => {
    const replies = [{ id: 9, text: 'Quoted "x".' }];
    const long = JSON.stringify({
      title: 'Fix "it"',
      replies,
      summary: `First.\n\n${'ü "x" \n'.repeat(3000)}`,
    });
    const { title, summary, valid, replies: read } = answer(cut(long));
    expect([title, valid, summary.length]).toEqual(['Fix "it"', true, maxSummaryCharacters]);
    expect(read).toEqual(replies);
    expect(summary.startsWith('First.\n\nü "x" \nü')).toBe(true);
  });

  it.each([
    ['missing', null],
    ['empty', ''],
    ['another shape', '{"title":"t"}'],
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

describe('replyOf', () => {
  const reply = (finalMessage: string | null) => replyOf({ ...initialProgress, finalMessage });
  it.each<[string, string | null, string]>([
    ['the answer of the schema', '{"answer":"It rounds **down**.\\n\\n- a"}', 'It rounds **down**.\n\n- a'],
    ['the answer in a fence', '```json\n{"answer":"Yes."}\n```', 'Yes.'],
    ['as much as there is of an answer that was cut', '{"answer":"It rounds \\"do', 'It rounds "do'],
    ['prose', 'It rounds down.', 'It rounds down.'],
    ['nothing of JSON in another form', '{"title":"x","summary":"y"}', ''],
    ['nothing of an answer that is no text', '{"answer":["x"]}', ''],
    ['nothing if there is no final message', null, ''],
    ['nothing of an empty one', '{"answer":"  "}', ''],
  ])('returns %s', (_, finalMessage, expected) => {
    expect(reply(finalMessage)).toBe(expected);
  });

  it('caps the answer', () => {
    expect(reply(JSON.stringify({ answer: 'x'.repeat(50_000) }))).toHaveLength(maxSummaryCharacters);
  });
});

it('the answer schema has the strict form: everything required, nothing else allowed', () => {
  expect(answerJsonSchema.additionalProperties).toBe(false);
  expect([...answerJsonSchema.required].toSorted()).toEqual(
    Object.keys(answerJsonSchema.properties).toSorted(),
  );
});
