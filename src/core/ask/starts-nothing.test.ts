/** What starts nothing: the words of a mention on either surface, and of a reply without one. */
import { describe, expect, it } from 'vitest';
import { hostileMentionPieces, repeated } from '../../../test/fixtures/hostile-text.ts';
import { onlyCourtesy } from './only-courtesy.ts';
import { replyAsks } from './reply-asks.ts';
import { inPassing } from './starts-nothing.ts';

const read = (text: string) => {
  const at = text.indexOf('@airlock');
  return inPassing(text.slice(0, at), text.slice(at + '@airlock'.length));
};

describe('a mention', () => {
  it.each([
    'thanks @airlock!',
    'thanks to @airlock',
    'Thanks to @airlock this was fixed in minutes.',
    'thanks @bob and @airlock',
    '@airlock thank you so much 🙏',
    'thank you @airlock for the quick fix',
    '@airlock thanks for fixing this!',
    '@airlock, ありがとうございます！',
    '谢谢 @airlock',
    'LGTM, thanks @airlock',
    'Works great. Thanks, @airlock!',
    'kudos to @airlock',
    'Perfect, that was quick @airlock',
    '@airlock nice work',
    '@airlock 👍',
    '@airlock :+1:',
    'thx @airlock :)',
    'thanks alot @airlock',
    '@airlock ok, got it',
    '@airlock sounds good, merging',
    'Thanks @airlock, I will review it tomorrow.',
    '@airlock approved',
    '@bob can you look at this? It is what we gave to @airlock',
    '@bob can you ask @airlock to fix it',
    'hey @bob, the change of @airlock is ready for you',
    '@alice @bob what do you think of @airlock?',
    '* Fix the rounding by @airlock in #12',
    '* Fix the rounding by @airlock in https://github.com/acme/shop/pull/12\n* Add tests by @bob in #13',
    "## What's changed\n\n- Fix rounding of bills (@airlock)\n- Add tests (@bob)",
    '- Update dependencies — @airlock, @bob',
    '* @airlock made their first contribution in #12',
    'Release 1.2\n\nThanks to @bob and @airlock for the rounding',
    'hey @airlock, thanks!',
    'Hey team, @airlock and @bob, great work',
    'Contributors: @alice, @airlock and @bob',
    '**Reviewers:** @alice, @airlock',
    'People who helped:\n\n- @alice\n- @airlock\n- @bob',
    '@alice @airlock @bob',
    '| rounding | @airlock | done |',
    'On Mon, Nov 30, 2026 at 10:00, @airlock wrote:',
    '@airlock said: I opened #12',
  ])('is silent in %j', (text) => expect(read(text)).toBe('silent'));

  it.each([
    'cc @airlock',
    'CC: @bob @airlock',
    '/cc @airlock',
    '(cc @airlock)',
    'cc @alice, @airlock and @bob',
    'fyi @airlock',
    'as suggested by @airlock',
    'Rounding is off.\n\ncc: @airlock',
    'I asked @airlock to fix the rounding',
    'what did @airlock do here?',
    'did @airlock fix this already?',
    'We could let @airlock try.',
    'This is like what our @airlock produced last week.',
    '@airlock already opened a pull request for this.',
    '@airlock has been slow today',
    '@airlock was right about the rounding.',
  ])('is in passing in %j', (text) => expect(read(text)).toBe('copied'));

  it.each([
    '@airlock',
    '@airlock!',
    '@airlock ???',
    'Hi @airlock',
    '@airlock hello',
    '@airlock are you there?',
  ])('asks nothing in %j', (text) => expect(read(text)).toBe('empty'));

  it.each([
    '@airlock fix it',
    '@airlock ask',
    '@airlock yes',
    '@airlock works?',
    '@airlock the build is broken',
    '@airlock nice to have: dark mode',
    '@airlock LGTM label is missing',
    '@airlock 直して',
    '@airlock great, add a test too',
    '@airlock is the build broken',
    '@airlock can you fix this?',
    '@airlock should we use Decimal?',
    '@airlock was wrong, please fix it',
    '@airlock I have a problem with the rounding',
    'over to @airlock',
    '@airlock merge it',
    '@airlock let me see the plan first',
    '@airlock we will need docs',
    'fix this @airlock',
    'what do you think, @airlock?',
    'cc @airlock fix it',
    'cc @airlock please fix it',
    'Fix the rounding, cc @airlock',
    'Please fix the rounding.\n\ncc @airlock',
    'The tests fail. Thanks @airlock!',
    'thanks @airlock, the test still fails',
    'thanks @airlock run the tests',
    'thanks @airlock, now please fix the tests',
    'thanks to the last change the build is red @airlock',
    'thanks to @airlock for that, but it breaks on Windows',
    'The rounding is off. Thanks in advance @airlock',
    '@airlock thanks in advance',
    'the change of @airlock looks wrong',
    '@bob @airlock fix it',
    '@bob, @airlock: please fix it',
    '@bob reported it. @airlock fix it',
    '@bob look at it, and @airlock fix the tests',
    '- @airlock fix the rounding\n- and the tests',
    'The list is wrong:\n\n- one\n- two\n\n@airlock',
    '@airlock `npm test`',
  ])('asks for work in %j', (text) => expect(read(text.replace(/`[^`]*`/, '\uFFFC'))).toBeNull());
});

describe('a reply without a mention', () => {
  it.each([
    'thanks!',
    'great, thank you!',
    '👍',
    ':tada:',
    '',
    'yes',
    'ok',
    'LGTM',
    'lgtm, merging',
    'nice catch on the rounding',
    'Looks good to me, I’ll review it tomorrow',
    'I have merged it',
    'will take a look later',
    'let me check',
    'interesting approach',
    'hm, this is how we did it in the old service',
    'Still waiting for the review.',
    'me too',
    'ship it!',
    'take your time',
    '@U0BEN look at this',
    'hey @ben, can you review?',
    'Maria, can you review this please?',
    'what do you think @U0BEN?',
    'cc @U0BEN',
    'can someone review?',
    'who merges this?',
    'Should we release today?',
    'see https://example.com/x',
    'see #12',
    '^^',
    '42',
    'the tests are slow on my laptop',
    'well, that was quick',
    '好的',
    'ありがとう！',
    'brb',
    'haha',
    'merge it',
    'sorry, wrong thread',
    'should be fine',
    'Ben please revert',
    'Release 1.4 is out: rounding, tests and docs',
  ])('starts nothing in %j', (words) => expect(replyAsks(words)).toBe(false));

  it.each([
    'and the footer',
    'also add a test for one cent',
    'add a test',
    'thanks, and add a test',
    'Great. Now update the docs.',
    'please rename it',
    'Great, can you also update the docs?',
    'Ok, can you use Decimal?',
    'can you use Decimal instead?',
    'no, the other file',
    'the test still fails',
    'use Decimal, not float',
    "don't change the API",
    'the header too',
    'what about negative numbers?',
    'you forgot the changelog',
    'it should round up',
    '- rename split()\n- add a test',
    'fix the name of @U0BEN in the README',
    'acme/shop: the docs as above',
    '--base dev same again',
    'status',
    'cancel',
    'stop it please',
    '直して',
    'テストも追加してください',
    'ask why split() rounds down',
    'bitte noch einen Test',
  ])('asks for work in %j', (words) => expect(replyAsks(words)).toBe(true));
});

it.each([
  ['thanks!', true],
  ['', false],
  ['yes', false],
  ['thanks, and add a test', false],
])('says of %j whether it is only a courtesy: %s', (words, only) => {
  expect(onlyCourtesy(words)).toBe(only);
});

it.each([...hostileMentionPieces, '@a, ', 'and ', '- @a ', 'ok ', 'no, ', 'let me '])(
  'is decided for any number of %j',
  (piece) => {
    const words = repeated(piece, 3_000);
    expect([true, false]).toContain(replyAsks(words.slice(0, 1_900)));
    expect(() => inPassing(words, words)).not.toThrow();
  },
);

it.each(['@a/', '@a/ ', '@a and ', '@aand', 'a', 'and'])(
  'has one reading of a list of %j, so that no list takes exponential time',
  (unit) => {
    const list = `${unit.repeat(300 / unit.length)}x!`;
    expect([inPassing(`${list} `, ''), inPassing('', ` ${list}`)]).toEqual([null, null]);
  },
);
