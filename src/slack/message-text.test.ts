import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stripHiddenCharacters } from '../core/ask/hidden-characters.ts';
import { mentionedUsers, plainText } from './message-text.ts';

const known: Readonly<Record<string, string>> = { U1: 'Maria', C1: 'shop', S1: 'backend' };
const names = (id: string): string | null => known[id] ?? null;

describe('plainText', () => {
  it.each([
    ['a &lt;b&gt; &amp; c', 'a <b> & c'],
    ['&amp;lt; is typed as such', '&lt; is typed as such'],
    ['see <https://a.example/x?y=1&amp;z=2>', 'see https://a.example/x?y=1&z=2'],
    ['see <https://a.example|the page>', 'see the page (https://a.example)'],
    ['see <https://a.example/|a.example>', 'see a.example'],
    ['see <http://a.example|http://a.example>', 'see http://a.example'],
    ['<mailto:m@a.example|m@a.example>', 'm@a.example'],
    ['<@U1> and <@U2|jo> and <@U3>', '@Maria and @jo and @U3'],
    ['<#C1|> and <#C2|general> and <#C3>', '#shop and #general and #C3'],
    ['<!here> <!channel|channel> <!everyone>', '@here @channel @everyone'],
    ['<!subteam^S1> <!subteam^S2|@web>', '@backend @web'],
    ['<!date^1392734382^Posted {date_num}|Posted 2014-02-18>', 'Posted 2014-02-18'],
    ['`a &lt; b` and ```\n  if (a &amp;&amp; b)\n```', '`a < b` and ```\n  if (a && b)\n```'],
    ['in `<https://a.example|a.example>`', 'in `a.example`'],
    ['*bold* _slanted_ :tada:', '*bold* _slanted_ :tada:'],
    ['hid\u200Bden \u202Etext', 'hidden text'],
    ['a < b, unfinished', 'a < b, unfinished'],
    ['', ''],
  ])('decodes %j to %j', (mrkdwn, expected) => {
    expect(plainText(mrkdwn, names)).toBe(expected);
  });

  it('returns exactly what was typed for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const encoded = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
        expect(plainText(encoded, names)).toBe(stripHiddenCharacters(text));
      }),
    );
  });

  it('decodes 40,000 brackets', () => {
    expect(plainText('<'.repeat(40_000), names)).toHaveLength(40_000);
    expect(plainText('<!|'.repeat(13_000), names)).toHaveLength(39_000);
  });
});

it('lists each mentioned user once, in order', () => {
  expect(mentionedUsers('<@U2> <@W1|x> <@U2> <#C1> &lt;@U9&gt; <@evil>')).toEqual(['U2', 'W1']);
});
