import { describe, expect, it } from 'vitest';
import { messageProblems, optionsProblems, viewProblems } from './block-limits.ts';

const plain = (length: number) => ({ type: 'plain_text', text: 'x'.repeat(length) });
const mrkdwn = (length: number) => ({ type: 'mrkdwn', text: 'x'.repeat(length) });
const section = (length = 10, more = {}) => ({ type: 'section', text: mrkdwn(length), ...more });
const button = (more = {}) => ({ type: 'button', action_id: 'a', text: plain(5), ...more });
const actions = (elements: unknown[]) => ({ type: 'actions', elements });
const confirm = (more = {}) => ({
  title: plain(5),
  text: plain(5),
  confirm: plain(5),
  deny: plain(5),
  ...more,
});
const input = (element: unknown, more = {}) => ({ type: 'input', label: plain(5), element, ...more });
const textInput = (more = {}) => ({ type: 'plain_text_input', action_id: 'a', ...more });
const select = (more = {}) => ({ type: 'external_select', action_id: 'a', ...more });
const option = (more = {}) => ({ text: plain(5), value: 'v', ...more });
const times = (n: number, of: (index: number) => unknown) =>
  Array.from({ length: n }, (_, index) => of(index));

const inMessage = (...blocks: unknown[]) => messageProblems({ text: 'words', blocks });
const inView = (more: object, ...blocks: unknown[]) =>
  viewProblems({ type: 'modal', title: plain(5), submit: plain(5), blocks, ...more });

describe('messageProblems', () => {
  it.each<[string, unknown[], string | null]>([
    ['a section of 3,000 characters', [section(3000)], null],
    ['a section of 3,001 characters', [section(3001)], 'blocks[0].text.text'],
    ['a section with an empty text', [section(0)], 'blocks[0].text.text'],
    ['a section without text and fields', [{ type: 'section' }], 'blocks[0]'],
    ['ten fields', [{ type: 'section', fields: times(10, () => mrkdwn(900)) }], null],
    ['eleven fields', [{ type: 'section', fields: times(11, () => mrkdwn(9)) }], 'blocks[0].fields'],
    ['a field of 2,001 letters', [{ type: 'section', fields: [mrkdwn(2001)] }], 'blocks[0].fields[0].text'],
    ['50 blocks', times(50, () => section()), null],
    ['51 blocks', times(51, () => section()), 'blocks'],
    ['12,000 characters in all blocks', times(4, () => section(3000)), null],
    ['12,500 characters in all blocks', times(5, () => section(2500)), 'blocks'],
    ['a header of 151 characters', [{ type: 'header', text: plain(151) }], 'blocks[0].text.text'],
    ['a header in mrkdwn', [{ type: 'header', text: mrkdwn(5) }], 'blocks[0].text.type'],
    [
      'eleven context elements',
      [{ type: 'context', elements: times(11, () => mrkdwn(5)) }],
      'blocks[0].elements',
    ],
    ['no context elements', [{ type: 'context', elements: [] }], 'blocks[0].elements'],
    ['25 buttons', [actions(times(25, (n) => button({ action_id: `a${n}` })))], null],
    ['26 buttons', [actions(times(26, (n) => button({ action_id: `a${n}` })))], 'blocks[0].elements'],
    ['no buttons', [actions([])], 'blocks[0].elements'],
    [
      'two buttons with the same action_id in one block',
      [actions([button(), button()])],
      'blocks[0].elements',
    ],
    ['the same action_id in two blocks', [actions([button()]), actions([button()])], null],
    ['the same block_id twice', [section(5, { block_id: 'b' }), section(5, { block_id: 'b' })], 'blocks'],
    ['a block_id of 256 characters', [section(5, { block_id: 'b'.repeat(256) })], 'blocks[0].block_id'],
    [
      'a button label of 76 characters',
      [actions([button({ text: plain(76) })])],
      'blocks[0].elements[0].text.text',
    ],
    ['a button label in mrkdwn', [actions([button({ text: mrkdwn(5) })])], 'blocks[0].elements[0].text.type'],
    [
      'a button without an action_id',
      [actions([button({ action_id: undefined })])],
      'blocks[0].elements[0].action_id',
    ],
    [
      'an action_id of 256 characters',
      [actions([button({ action_id: 'a'.repeat(256) })])],
      'blocks[0].elements[0].action_id',
    ],
    [
      'a button value of 2,001 characters',
      [actions([button({ value: 'v'.repeat(2001) })])],
      'blocks[0].elements[0].value',
    ],
    ['an unknown button style', [actions([button({ style: 'warning' })])], 'blocks[0].elements[0].style'],
    ['a confirmation dialog', [actions([button({ confirm: confirm() })])], null],
    [
      'a dialog title of 101 characters',
      [actions([button({ confirm: confirm({ title: plain(101) }) })])],
      'blocks[0].elements[0].confirm.title.text',
    ],
    [
      'a dialog text of 301 characters',
      [actions([button({ confirm: confirm({ text: plain(301) }) })])],
      'blocks[0].elements[0].confirm.text.text',
    ],
    [
      'a confirm label of 31 characters',
      [actions([button({ confirm: confirm({ confirm: plain(31) }) })])],
      'blocks[0].elements[0].confirm.confirm.text',
    ],
    [
      'a deny label of 31 characters',
      [actions([button({ confirm: confirm({ deny: plain(31) }) })])],
      'blocks[0].elements[0].confirm.deny.text',
    ],
    [
      'a dialog without a deny label',
      [actions([button({ confirm: confirm({ deny: undefined }) })])],
      'blocks[0].elements[0].confirm.deny',
    ],
    ['a button as a section accessory', [section(5, { accessory: button() })], null],
    ['an input block', [input(textInput())], 'blocks[0].type'],
    ['an unknown block', [{ type: 'carousel' }], 'blocks[0].type'],
    ['an unknown property', [section(5, { colour: 'red' })], 'blocks[0]'],
  ])('judges a message with %s as Slack does', (_, blocks, path) => {
    expect(inMessage(...blocks).map((problem) => problem.path)).toEqual(path === null ? [] : [path]);
  });

  it.each([undefined, '', ' \n', 'x'.repeat(40_001)])(
    'requires a notification text of 1 to 40,000 characters (%#)',
    (text) => {
      expect(messageProblems({ text, blocks: [] })).toMatchObject([{ path: 'text' }]);
    },
  );
});

describe('viewProblems', () => {
  it.each<[string, object, unknown[], string | null]>([
    ['a text input and a select', {}, [input(textInput()), input(select({ min_query_length: 0 }))], null],
    ['100 blocks', {}, times(100, () => section()), null],
    ['101 blocks', {}, times(101, () => section()), 'blocks'],
    ['a title of 25 characters', { title: plain(25) }, [], 'title.text'],
    ['a submit label of 25 characters', { submit: plain(25) }, [], 'submit.text'],
    ['a close label of 25 characters', { close: plain(25) }, [], 'close.text'],
    ['private_metadata of 3,000 characters', { private_metadata: 'x'.repeat(3000) }, [], null],
    ['private_metadata of 3,001 characters', { private_metadata: 'x'.repeat(3001) }, [], 'private_metadata'],
    ['a callback_id of 256 characters', { callback_id: 'x'.repeat(256) }, [], 'callback_id'],
    ['an input block but no submit label', { submit: undefined }, [input(textInput())], 'submit'],
    [
      'an input label of 2,001 characters',
      {},
      [input(textInput(), { label: plain(2001) })],
      'blocks[0].label.text',
    ],
    [
      'an input hint of 2,001 characters',
      {},
      [input(textInput(), { hint: plain(2001) })],
      'blocks[0].hint.text',
    ],
    [
      'an initial value of 3,001 characters',
      {},
      [input(textInput({ initial_value: 'x'.repeat(3001) }))],
      'blocks[0].element.initial_value',
    ],
    [
      'an initial value longer than max_length',
      {},
      [input(textInput({ initial_value: 'xx', max_length: 1 }))],
      'blocks[0].element',
    ],
    ['a max_length of 3,001', {}, [input(textInput({ max_length: 3001 }))], 'blocks[0].element.max_length'],
    [
      'a placeholder of 151 characters',
      {},
      [input(select({ placeholder: plain(151) }))],
      'blocks[0].element.placeholder.text',
    ],
    [
      'an option text of 76 characters',
      {},
      [input(select({ initial_option: option({ text: plain(76) }) }))],
      'blocks[0].element.initial_option.text.text',
    ],
    [
      'an option value of 151 characters',
      {},
      [input(select({ initial_option: option({ value: 'v'.repeat(151) }) }))],
      'blocks[0].element.initial_option.value',
    ],
    ['more than 250 kB', {}, times(85, () => section(3000)), ''],
  ])('judges a modal with %s as Slack does', (_, more, blocks, path) => {
    expect(inView(more, ...blocks).map((problem) => problem.path)).toEqual(path === null ? [] : [path]);
  });
});

describe('optionsProblems', () => {
  it.each<[string, unknown, string | null]>([
    ['no option', { options: [] }, null],
    ['100 options', { options: times(100, (n) => option({ value: `v${n}` })) }, null],
    ['101 options', { options: times(101, (n) => option({ value: `v${n}` })) }, 'options'],
    ['an option text in mrkdwn', { options: [option({ text: mrkdwn(5) })] }, 'options[0].text.type'],
    ['no options property', {}, 'options'],
  ])('judges an answer with %s as Slack does', (_, answer, path) => {
    expect(optionsProblems(answer).map((problem) => problem.path)).toEqual(path === null ? [] : [path]);
  });
});
