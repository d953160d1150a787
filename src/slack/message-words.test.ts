import { expect, it } from 'vitest';
import * as z from 'zod';
import { addressable, messageWords, wordFields, wordless, type Wordless } from './message-words.ts';

const section = (...elements: object[]) => ({
  type: 'rich_text',
  elements: [{ type: 'rich_text_section', elements }],
});
const cell = (text: string) => ({ type: 'raw_text', text });
const table = { type: 'table', rows: [[cell('id'), cell('a<b')], [section({ type: 'text', text: '7' })]] };

it.each<[string, object, string]>([
  ['of text alone', { text: 'fix &lt;it&gt;' }, 'fix &lt;it&gt;'],
  [
    'of text once, although blocks repeat it',
    { text: 'fix it', blocks: [section({ type: 'text', text: 'fix it' })] },
    'fix it',
  ],
  [
    'of blocks if the text has none',
    {
      text: '<@U0BOT>',
      blocks: [section({ type: 'user', user_id: 'U0BOT' }, { type: 'text', text: ' fix a<b' })],
    },
    '<@U0BOT> fix a&lt;b',
  ],
  [
    'of sections and context',
    {
      blocks: [
        {
          type: 'section',
          text: { type: 'mrkdwn', text: 'fix *it*' },
          fields: [{ type: 'plain_text', text: 'a&b' }],
        },
        { type: 'context', elements: [{ type: 'mrkdwn', text: 'now' }] },
      ],
    },
    'fix *it*\na&amp;b\nnow',
  ],
  [
    'of lists, quotations and code',
    {
      blocks: [
        {
          type: 'rich_text',
          elements: [
            {
              type: 'rich_text_list',
              elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text: 'one' }] }],
            },
            { type: 'rich_text_quote', elements: [{ type: 'text', text: 'a\nb' }] },
            { type: 'rich_text_preformatted', elements: [{ type: 'text', text: 'x' }] },
          ],
        },
      ],
    },
    '• one\n&gt; a\n&gt; b\n```\nx\n```',
  ],
  ['of a table below the text', { text: 'fix these', blocks: [table] }, 'fix these\nid | a&lt;b\n7'],
  [
    'of a pasted table in an attachment',
    { text: 'fix these', attachments: [{ blocks: [table], fallback: '[no preview available]' }] },
    'fix these\nid | a&lt;b\n7',
  ],
  [
    'of a forwarded message as a quotation',
    { text: 'fix this', attachments: [{ is_share: true, text: 'It <@U0BOT> fails\nhere', fallback: 'x' }] },
    'fix this\n&gt; It <@U0BOT> fails\n&gt; here',
  ],
  [
    'of a forwarded message that has only blocks',
    {
      text: '',
      attachments: [
        {
          is_share: true,
          message_blocks: [{ message: { blocks: [section({ type: 'text', text: 'It fails' })] } }],
        },
      ],
    },
    '&gt; It fails',
  ],
  [
    'without the preview of a link',
    { text: 'see <https://a.test>', attachments: [{ from_url: 'https://a.test', title: 'A', text: 'x' }] },
    'see <https://a.test>',
  ],
  ...[{ from_url: 'https://a.test' }, { is_msg_unfurl: true }, { is_app_unfurl: true }].map(
    (preview): [string, object, string] => [
      `without a table in a preview (${Object.keys(preview).join()})`,
      { text: 'see this', attachments: [{ ...preview, blocks: [table], fallback: 'x' }] },
      'see this',
    ],
  ),
  [
    'of a table in a forwarded message as a quotation',
    { text: 'fix this', attachments: [{ is_share: true, is_msg_unfurl: true, blocks: [table] }] },
    'fix this\n&gt; id | a&lt;b\n&gt; 7',
  ],
  [
    'of nothing, and never throws',
    { text: null, blocks: [null, 7, { type: 'table', rows: 'x' }, {}], attachments: ['x'] },
    '',
  ],
])('reads the words %s', (_, message, words) => {
  expect(messageWords(message)).toBe(words);
});

const file = (more: object) => ({ text: '<@U0BOT>', files: [{ id: 'F1', name: 'a.png', ...more }] });
it.each<[object, Wordless | null]>([
  [file({}), { kind: 'files', names: 'a.png', pasted: false }],
  [file({ mode: 'snippet' }), { kind: 'files', names: 'a.png', pasted: true }],
  [file({ id: null }), { kind: 'unread', what: 'a.png' }],
  ...['tombstone', 'external', 'canvas', 'quip', 'list'].map((mode): [object, Wordless] => [
    file({ mode }),
    { kind: 'unread', what: 'a.png' },
  ]),
  [
    { text: '', files: [{ title: 'a' }, {}] },
    { kind: 'unread', what: 'a, a file' },
  ],
  [
    { text: '<@U0BOT>', attachments: [{ image_url: 'https://a.test/x.png' }] },
    { kind: 'unread', what: 'what is attached' },
  ],
  [
    { text: '<@U0BOT>', blocks: [{ type: 'video' }] },
    { kind: 'unread', what: 'what is attached' },
  ],
  [{ ...file({}), text: '<@U0BOT> fix it' }, null],
  [{ text: '<@U0BOT>', blocks: [section({ type: 'user', user_id: 'U0BOT' })] }, null],
  [{ text: '<@U0BOT>' }, null],
])('says what a message without words holds: %j', (message, held) => {
  const parsed = z.object(wordFields).parse(message);
  expect(wordless(parsed, messageWords(parsed))).toEqual(held);
});

it.each([
  ['&gt; <@U0BOT> fix it', false],
  ['  &gt; <@U0BOT> fix it', false],
  ['&gt;&gt;&gt; a\n<@U0BOT> fix it', false],
  ['`<@U0BOT>` is the bot', false],
  ['```\n<@U0BOT>\n```', false],
  ['&gt; it fails\n<@U0BOT> fix it', true],
  ['a &gt; b <@U0BOT>', true],
])('says whether a mention counts in %j: %s', (mrkdwn, counts) => {
  const read = addressable(mrkdwn);
  expect(read.includes('<@U0BOT>')).toBe(counts);
  expect(read).toHaveLength(mrkdwn.length);
});
