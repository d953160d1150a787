import { expect, it } from 'vitest';
import { mrkdwnPieces } from './mrkdwn-pieces.ts';

const names = {
  person: (id: string) => (id === 'U1' ? 'Maria' : null),
  channel: (id: string) => (id === 'C1' ? 'dev' : null),
};
/** Renders pieces compactly: `[b:text]` is bold text, `{kind text}` is a piece of another kind. */
const read = (mrkdwn: string): string =>
  mrkdwnPieces(mrkdwn, names)
    .map(({ kind, text, url, bold, italic, strike }) => {
      const shown = kind === 'text' ? text : `{${kind} ${text}${url === null ? '' : ` → ${url}`}}`;
      const marks = `${bold ? 'b' : ''}${italic ? 'i' : ''}${strike ? 's' : ''}`;
      return marks === '' ? shown : `[${marks}:${shown}]`;
    })
    .join('');

it.each([
  ['plain text', 'nothing to see', 'nothing to see'],
  ['entities, decoding each once', '&lt;b&gt; &amp;amp;', '<b> &amp;'],
  ['bold, italic and struck-out text', '*a b* _c_ ~d~', '[b:a b] [i:c] [s:d]'],
  ['text that is bold and italic', '*_both_*', '[bi:both]'],
  ['a bold link', '*<https://a.example|words>* after', '[b:{link words → https://a.example}] after'],
  ['marks in words or between spaces', 'a*b*c 2 * 3 * 4 snake_case_name', 'a*b*c 2 * 3 * 4 snake_case_name'],
  ['an unclosed mark as text', '*open\nclosed*', '*open\nclosed*'],
  ['code without interpreting marks in it', '`*a* <@U1>` *b*', '{code *a* <@U1>} [b:b]'],
  ['a code block', '```\na\n*b*```', '{block a\n*b*}'],
  ['users and channels', '<@U1> in <#C1>, <@U2|two>', '{mention @Maria} in {mention #dev}, {mention @two}'],
  ['a broadcast mention', '<!channel>', '{mention @channel}'],
  [
    'a link without a label',
    '<https://a.example/?a=1&amp;b>',
    '{link https://a.example/?a=1&b → https://a.example/?a=1&b}',
  ],
  ['a javascript: link as text', '<javascript:alert(1)|x>', '<javascript:alert(1)|x>'],
])('reads %s', (_, mrkdwn, expected) => {
  expect(read(mrkdwn)).toBe(expected);
});
