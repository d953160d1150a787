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

describe('a message', () => {
  it.each<[string, unknown[], string | null]>([
    ['as much text as a section holds', [section(3000)], null],
    ['more', [section(3001)], 'blocks[0].text.text'],
    ['an empty text', [section(0)], 'blocks[0].text.text'],
    ['a section of nothing', [{ type: 'section' }], 'blocks[0]'],
    ['ten fields', [{ type: 'section', fields: times(10, () => mrkdwn(900)) }], null],
    ['eleven fields', [{ type: 'section', fields: times(11, () => mrkdwn(9)) }], 'blocks[0].fields'],
    ['a field too long', [{ type: 'section', fields: [mrkdwn(2001)] }], 'blocks[0].fields[0].text'],
    ['fifty blocks', times(50, () => section()), null],
    ['fifty-one', times(51, () => section()), 'blocks'],
    ['sections that are too much together', times(5, () => section(2700)), 'blocks'],
    ['a header too long', [{ type: 'header', text: plain(151) }], 'blocks[0].text.text'],
    ['a header in mrkdwn', [{ type: 'header', text: mrkdwn(5) }], 'blocks[0].text.type'],
    [
      'eleven elements of context',
      [{ type: 'context', elements: times(11, () => mrkdwn(5)) }],
      'blocks[0].elements',
    ],
    ['no elements of context', [{ type: 'context', elements: [] }], 'blocks[0].elements'],
    ['25 buttons', [actions(times(25, (n) => button({ action_id: `a${n}` })))], null],
    ['26 buttons', [actions(times(26, (n) => button({ action_id: `a${n}` })))], 'blocks[0].elements'],
    ['no buttons', [actions([])], 'blocks[0].elements'],
    ['two buttons of one id', [actions([button(), button()])], 'blocks[0].elements'],
    ['the same id in two blocks', [actions([button()]), actions([button()])], null],
    ['two blocks of one id', [section(5, { block_id: 'b' }), section(5, { block_id: 'b' })], 'blocks'],
    ['a block id too long', [section(5, { block_id: 'b'.repeat(256) })], 'blocks[0].block_id'],
    ['a long button', [actions([button({ text: plain(76) })])], 'blocks[0].elements[0].text.text'],
    ['a button in mrkdwn', [actions([button({ text: mrkdwn(5) })])], 'blocks[0].elements[0].text.type'],
    [
      'a button without an id',
      [actions([button({ action_id: undefined })])],
      'blocks[0].elements[0].action_id',
    ],
    [
      'an action id too long',
      [actions([button({ action_id: 'a'.repeat(256) })])],
      'blocks[0].elements[0].action_id',
    ],
    ['a value too long', [actions([button({ value: 'v'.repeat(2001) })])], 'blocks[0].elements[0].value'],
    ['a style there is not', [actions([button({ style: 'warning' })])], 'blocks[0].elements[0].style'],
    ['a dialog', [actions([button({ confirm: confirm() })])], null],
    [
      'a dialog’s title',
      [actions([button({ confirm: confirm({ title: plain(101) }) })])],
      'blocks[0].elements[0].confirm.title.text',
    ],
    [
      'a dialog’s text',
      [actions([button({ confirm: confirm({ text: plain(301) }) })])],
      'blocks[0].elements[0].confirm.text.text',
    ],
    [
      'a dialog’s yes',
      [actions([button({ confirm: confirm({ confirm: plain(31) }) })])],
      'blocks[0].elements[0].confirm.confirm.text',
    ],
    [
      'a dialog’s no',
      [actions([button({ confirm: confirm({ deny: plain(31) }) })])],
      'blocks[0].elements[0].confirm.deny.text',
    ],
    [
      'a dialog without a no',
      [actions([button({ confirm: confirm({ deny: undefined }) })])],
      'blocks[0].elements[0].confirm.deny',
    ],
    ['a button beside a text', [section(5, { accessory: button() })], null],
    ['an input', [input(textInput())], 'blocks[0].type'],
    ['a block that nobody knows', [{ type: 'carousel' }], 'blocks[0].type'],
    ['a field that nobody knows', [section(5, { colour: 'red' })], 'blocks[0]'],
  ])('with %s', (_, blocks, path) => {
    expect(inMessage(...blocks).map((problem) => problem.path)).toEqual(path === null ? [] : [path]);
  });

  it.each([undefined, '', ' \n', 'x'.repeat(40_001)])('needs a text to notify with (%#)', (text) => {
    expect(messageProblems({ text, blocks: [] })).toMatchObject([{ path: 'text' }]);
  });
});

describe('a modal', () => {
  it.each<[string, object, unknown[], string | null]>([
    ['every field', {}, [input(textInput()), input(select({ min_query_length: 0 }))], null],
    ['a hundred blocks', {}, times(100, () => section()), null],
    ['more', {}, times(101, () => section()), 'blocks'],
    ['a long title', { title: plain(25) }, [], 'title.text'],
    ['a long submit', { submit: plain(25) }, [], 'submit.text'],
    ['a long close', { close: plain(25) }, [], 'close.text'],
    ['as much metadata as there may be', { private_metadata: 'x'.repeat(3000) }, [], null],
    ['more metadata', { private_metadata: 'x'.repeat(3001) }, [], 'private_metadata'],
    ['a long callback id', { callback_id: 'x'.repeat(256) }, [], 'callback_id'],
    ['an input and no submit', { submit: undefined }, [input(textInput())], 'submit'],
    ['a long label', {}, [input(textInput(), { label: plain(2001) })], 'blocks[0].label.text'],
    ['a long hint', {}, [input(textInput(), { hint: plain(2001) })], 'blocks[0].hint.text'],
    [
      'a long value',
      {},
      [input(textInput({ initial_value: 'x'.repeat(3001) }))],
      'blocks[0].element.initial_value',
    ],
    [
      'a value longer than allowed',
      {},
      [input(textInput({ initial_value: 'xx', max_length: 1 }))],
      'blocks[0].element',
    ],
    ['a length above Slack’s', {}, [input(textInput({ max_length: 3001 }))], 'blocks[0].element.max_length'],
    [
      'a long placeholder',
      {},
      [input(select({ placeholder: plain(151) }))],
      'blocks[0].element.placeholder.text',
    ],
    [
      'an option’s long text',
      {},
      [input(select({ initial_option: option({ text: plain(76) }) }))],
      'blocks[0].element.initial_option.text.text',
    ],
    [
      'an option’s long value',
      {},
      [input(select({ initial_option: option({ value: 'v'.repeat(151) }) }))],
      'blocks[0].element.initial_option.value',
    ],
    ['more than 250 kB', {}, times(85, () => section(3000)), ''],
  ])('with %s', (_, more, blocks, path) => {
    expect(inView(more, ...blocks).map((problem) => problem.path)).toEqual(path === null ? [] : [path]);
  });
});

describe('an answer with options', () => {
  it.each<[string, unknown, string | null]>([
    ['none', { options: [] }, null],
    ['a hundred', { options: times(100, (n) => option({ value: `v${n}` })) }, null],
    ['more', { options: times(101, (n) => option({ value: `v${n}` })) }, 'options'],
    ['a text in mrkdwn', { options: [option({ text: mrkdwn(5) })] }, 'options[0].text.type'],
    ['no options at all', {}, 'options'],
  ])('%s', (_, answer, path) => {
    expect(optionsProblems(answer).map((problem) => problem.path)).toEqual(path === null ? [] : [path]);
  });
});
