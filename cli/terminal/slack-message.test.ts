import type { KnownBlock, SectionBlock } from '@slack/types';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { slackMessageLines } from './slack-message.ts';

const names = { person: (id: string) => (id === 'U1' ? 'Maria' : null), channel: () => null };
const section = (text: string): SectionBlock => ({ type: 'section', text: { type: 'mrkdwn', text } });
const button = (text: string) => ({ type: 'button' as const, text: { type: 'plain_text' as const, text } });
const lines = (blocks: readonly KnownBlock[], columns = 40, text = 'short') =>
  slackMessageLines({ text, blocks }, names, columns).map((line) => stripVTControlCharacters(line));

describe('slackMessageLines', () => {
  it('renders blocks with names, links and buttons', () => {
    const url = 'https://a.example/1';
    expect(
      lines(
        [
          section('<@U1> asked: *mend &lt;it&gt;*'),
          { ...section('`acme/shop`'), accessory: button('Change') },
          section(`<${url}|words>\nand \`code\``),
          { type: 'actions', elements: [button('Cancel'), button('Open log')] },
          { type: 'context', elements: [{ type: 'mrkdwn', text: 'task `1`' }] },
        ],
        60,
      ),
    ).toEqual([
      '@Maria asked: mend <it>',
      'acme/shop   [Change]',
      `words (${url})`,
      'and code',
      '[Cancel] [Open log]',
      'task 1',
    ]);
  });

  it('renders the text of a message without blocks', () => {
    expect(lines([], 40, 'Guests *cannot*')).toEqual(['Guests cannot']);
  });

  it('wraps at spaces, never inside a button or a long word', () => {
    expect(lines([section('one two three four')], 9)).toEqual(['one two', 'three', 'four']);
    expect(lines([section(`a ${'x'.repeat(12)} b`)], 9)).toEqual(['a', 'x'.repeat(12), 'b']);
    const buttons: KnownBlock = { type: 'actions', elements: [button('Cancel'), button('Open log')] };
    expect(lines([buttons], 12)).toEqual(['[Cancel]', '[Open log]']);
  });

  it('removes characters that move the cursor or forge a line', () => {
    expect(lines([section('a\u001B[2Jb\rc \u202Ed')])).toEqual(['a[2Jb c d']);
  });
});
