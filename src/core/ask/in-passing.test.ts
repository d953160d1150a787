import { describe, expect, it } from 'vitest';
import { inPassing, onlyThank } from './in-passing.ts';

const read = (text: string) => {
  const at = text.indexOf('@airlock');
  return inPassing(text.slice(0, at), text.slice(at + '@airlock'.length));
};

describe('inPassing', () => {
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
  ])('reads %j as thanks', (text) => expect(read(text)).toBe('thanks'));

  it.each([
    'cc @airlock',
    'CC: @bob @airlock',
    '/cc @airlock',
    '(cc @airlock)',
    'cc @alice, @airlock and @bob',
    'fyi @airlock',
    'as suggested by @airlock',
    'Rounding is off.\n\ncc: @airlock',
  ])('reads %j as copied', (text) => expect(read(text)).toBe('copied'));

  it.each([
    '@airlock',
    '@airlock fix it',
    '@airlock yes',
    '@airlock works?',
    '@airlock the build is broken',
    '@airlock nice to have: dark mode',
    '@airlock LGTM label is missing',
    '@airlock 直して',
    '@airlock great, add a test too',
    'over to @airlock',
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
  ])('reads %j as a request', (text) => expect(read(text)).toBeNull());
});

it.each([
  ['thanks!', true],
  ['great, thank you!', true],
  ['👍', true],
  [':tada:', true],
  ['', false],
  ['yes', false],
  ['ok', false],
  ['thanks, and add a test', false],
])('says of %j without a mention whether it only thanks: %s', (words, only) => {
  expect(onlyThank(words)).toBe(only);
});
