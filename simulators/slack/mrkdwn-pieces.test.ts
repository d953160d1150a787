import { expect, it } from 'vitest';
import { mrkdwnPieces } from './mrkdwn-pieces.ts';

const names = {
  person: (id: string) => (id === 'U1' ? 'Maria' : null),
  channel: (id: string) => (id === 'C1' ? 'dev' : null),
};
/** `*text*` for bold and so on, `{kind text}` for what is no text. */
const read = (mrkdwn: string): string =>
  mrkdwnPieces(mrkdwn, names)
    .map(({ kind, text, url, bold, italic, strike }) => {
      const shown = kind === 'text' ? text : `{${kind} ${text}${url === null ? '' : ` → ${url}`}}`;
      const marks = `${bold ? 'b' : ''}${italic ? 'i' : ''}${strike ? 's' : ''}`;
      return marks === '' ? shown : `[${marks}:${shown}]`;
    })
    .join('');

it.each([
  ['words', 'nothing to see', 'nothing to see'],
  ['entities, each once', '&lt;b&gt; &amp;amp;', '<b> &amp;'],
  ['bold, italic and struck words', '*a b* _c_ ~d~', '[b:a b] [i:c] [s:d]'],
  ['bold and italic at once', '*_both_*', '[bi:both]'],
  ['bold around a link', '*<https://a.example|words>* after', '[b:{link words → https://a.example}] after'],
  ['marks inside words and alone', 'a*b*c 2 * 3 * 4 snake_case_name', 'a*b*c 2 * 3 * 4 snake_case_name'],
  ['a mark that nothing closes', '*open\nclosed*', '*open\nclosed*'],
  ['code, where nothing acts', '`*a* <@U1>` *b*', '{code *a* <@U1>} [b:b]'],
  ['a block of code', '```\na\n*b*```', '{block a\n*b*}'],
  ['who and where', '<@U1> in <#C1>, <@U2|two>', '{mention @Maria} in {mention #dev}, {mention @two}'],
  ['a broadcast', '<!channel>', '{mention @channel}'],
  [
    'an address alone',
    '<https://a.example/?a=1&amp;b>',
    '{link https://a.example/?a=1&b → https://a.example/?a=1&b}',
  ],
  ['no address that runs something', '<javascript:alert(1)|x>', '<javascript:alert(1)|x>'],
])('reads %s', (_, mrkdwn, expected) => {
  expect(read(mrkdwn)).toBe(expected);
});
