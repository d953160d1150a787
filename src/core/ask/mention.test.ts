import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostileMentionPieces, repeated } from '../../../test/fixtures/hostile-text.ts';
import { parseMention } from './mention.ts';

const parse = (text: string) => parseMention(text, 'airlock');
const instructionOf = (text: string): string | null => {
  const mention = parse(text);
  return mention.kind === 'mention' ? mention.instruction : null;
};

describe('a mention', () => {
  it.each([
    ['@airlock fix it', 'fix it'],
    ['@AirLock fix it', 'fix it'],
    ['@airlock[bot] fix it', 'fix it'],
    ['@airlock, fix it', 'fix it'],
    ['@airlock: fix it', 'fix it'],
    ['@airlock', ''],
    ['(@airlock) fix it', '() fix it'],
    ['please, @airlock.', 'please, .'],
    ['Rounding is off.\n\n@airlock fix it', 'Rounding is off.\n\n fix it'],
    ['@airlock fix it, @airlock', 'fix it, @airlock'],
    ['- @airlock fix it', '-  fix it'],
    ['1. one\n2. @airlock fix it', '1. one\n2.  fix it'],
    ['- item\n\n  @airlock fix it', '- item\n\n   fix it'],
    ['# @airlock fix it', '#  fix it'],
    ['> quoted\n\n@airlock fix it', '> quoted\n\n fix it'],
    ['`@airlock` is the bot. @airlock fix it', '`@airlock` is the bot.  fix it'],
    ['\\` @airlock \\` fix it', '\\`  \\` fix it'],
    ['one ` backtick, @airlock fix it', 'one ` backtick,  fix it'],
    ['<!-- note -->\n@airlock fix it', '<!-- note -->\n fix it'],
    ['<!--> @airlock fix it', '<!-->  fix it'],
    ['a\r\n\r\n@airlock fix it\r\n', 'a\n\n fix it'],
    ['~~~\ncode\n~~~\n@airlock fix it', '~~~\ncode\n~~~\n fix it'],
    ['<details>\n\n@airlock fix it\n\n</details>', '<details>\n\n fix it\n\n</details>'],
    ['text\n    @airlock fix it', 'text\n     fix it'],
    ['@airlock、直してください', '直してください'],
    ['@airlock，修复它', '修复它'],
    ['@airlock：修复它', '修复它'],
    ['@airlock直してください', '直してください'],
    ['@airlock！修复它', '！修复它'],
    ['「@airlock」直して', '「」直して'],
    ['お願いします@airlock、直して', 'お願いします直して'],
    ['（@airlock）修复它', '（）修复它'],
    ['＠airlock 修复它', '修复它'],
    ['@airlock، درستش کن', 'درستش کن'],
    ['@airlock؛ درستش کن', 'درستش کن'],
    ['@airlock\u200F درستش کن', 'درستش کن'],
    ['@airlock। ठीक करो', '। ठीक करो'],
    ['@airlock고쳐 주세요', '고쳐 주세요'],
    ['@airlock,fix it', 'fix it'],
    ['@airlock—fix it', '—fix it'],
    ['@airlock🙏 fix it', '🙏 fix it'],
    ['@airlock می\u200Cخواهم', 'می\u200Cخواهم'],
  ])('is found in %j', (text, instruction) => {
    expect(instructionOf(text)).toBe(instruction);
  });

  it.each([
    'nothing here',
    '@airlock-dev fix it',
    '@airlocks fix it',
    'foo@airlock.com',
    'mail foo@airlock now',
    '@airlock/team fix it',
    '@airlock.com',
    "@airlock's answer was good",
    '@airlock’s answer was good',
    '@airlock‑dev fix it',
    '@airlocké fix it',
    '@airlock\u200Bdev fix it',
    'josé@airlock now',
    'a+@airlock now',
    'thanks @airlock!',
    'thanks to @airlock',
    '@airlock 👍',
    '@airlock_x',
    'https://example.com/@airlock',
    '/@airlock',
    '@@airlock',
    '\\@airlock fix it',
    '`@airlock fix it`',
    '```\n@airlock fix it\n```',
    '~~~ts\n```\n@airlock fix it\n~~~',
    '> @airlock fix it',
    '>@airlock fix it',
    '> > @airlock fix it',
    '> ```\n> @airlock\n> ```',
    '<!-- @airlock fix it -->',
    '<!--\n\n@airlock fix it\n\n-->',
  ])('is not found in %j', (text) => {
    expect(parse(text)).toEqual({ kind: 'none' });
  });

  it('follows the configured handle', () => {
    expect(parseMention('@codex-bot go', 'codex-bot').kind).toBe('mention');
    expect(parseMention('@airlock go', 'codex-bot').kind).toBe('none');
  });
});

describe('options', () => {
  it.each([
    ['@airlock --base release/1.x fix it', { base: 'release/1.x' }, 'fix it'],
    ['@airlock --base=main --effort=HIGH fix it', { base: 'main', effort: 'high' }, 'fix it'],
    ['@airlock --model gpt-6.1-sol', { model: 'gpt-6.1-sol' }, ''],
    ['@airlock —effort low fix it', { effort: 'low' }, 'fix it'],
    ['@airlock, --base `main` fix it', { base: 'main' }, 'fix it'],
    ['@airlock --base "main"\nfix it', { base: 'main' }, 'fix it'],
    ['@airlock fix the --base flag', {}, 'fix the --base flag'],
    ['@airlock\n--base main', {}, '--base main'],
    ['@airlock - one\n- two', {}, '- one\n- two'],
    ['@airlock –please fix it', {}, '–please fix it'],
    ['@airlock ——effort high fix it', { effort: 'high' }, 'fix it'],
    ['@airlock –-base=dev fix it', { base: 'dev' }, 'fix it'],
    ['@airlock ‐‐effort low', { effort: 'low' }, ''],
    ['@airlock −−effort：low 修复它', { effort: 'low' }, '修复它'],
    ['@airlock -effort low fix it', { effort: 'low' }, 'fix it'],
    ['@airlock -base.ts is wrong', {}, '-base.ts is wrong'],
  ])('are parsed from %j', (text, options, instruction) => {
    expect(parse(text)).toEqual({ kind: 'mention', ask: { kind: 'run' }, instruction, options });
  });

  it.each([
    ['@airlock --branch x fix it', '`--branch`'],
    ['@airlock --base', '`--base` needs a value'],
    ['@airlock --base\nmain', '`--base` needs a value'],
    ['@airlock --base= fix', '`--base` needs a value'],
    ['@airlock --base --effort low', '`--base` needs a value'],
    ['@airlock --base a..b fix it', '`a..b` cannot be the name of a branch'],
    ['@airlock --effort lots fix it', 'not `lots`'],
    ['@airlock --model $(id) fix it', '`$(id)` cannot be the name of a model'],
    ['@airlock --base a --base b fix it', '`--base` is given twice'],
    ['@airlock --__proto__ x', 'There is no option'],
    ['@airlock —efort high fix it', 'There is no option `—efort`'],
    ['@airlock ——please fix it', 'There is no option `——please`'],
    ['@airlock --effort, high', 'There is no option `--effort,`'],
  ])('get the reason of the mistake: %j', (text, part) => {
    const mention = parse(text);
    expect(mention.kind === 'mention' && mention.ask.kind === 'invalid' ? mention.ask.message : '').toContain(
      part,
    );
  });
});

describe('commands', () => {
  it.each([
    ['@airlock help', 'help'],
    ['@airlock status', 'status'],
    ['@airlock cancel', 'cancel'],
    ['@airlock stop!', 'cancel'],
    ['@airlock: Help', 'help'],
    ['> quoted\n\n@airlock cancel', 'cancel'],
    ['@airlock stop using var', 'run'],
    ['please @airlock help', 'run'],
    ['@airlock retry\n\nSent from my iPhone', 'retry'],
    ['@airlock retry\n-- \nJane Doe\nACME Inc.', 'retry'],
    ['@airlock retry\n\nGet [Outlook for iOS](https://aka.ms/o0ukef)', 'retry'],
    ['@airlock retry\n\n________________________________\nFrom: Jane', 'retry'],
    ['@airlock retry\n\nThanks,\nJane', 'retry'],
    [`@airlock retry\n\nOn Mon, Nov 30, 2026, Bob wrote:\n\n> ${'x'.repeat(5000)}`, 'retry'],
    ['please @airlock stop', 'cancel'],
    ['@airlock cancel please', 'cancel'],
    ['@airlock status, please?', 'status'],
    ['@airlock stop. I found the bug myself', 'invalid'],
    ['@airlock cancel 1234abcd', 'invalid'],
    ['@airlock cancelled orders are shown', 'run'],
    ['@airlock please retry with the other library', 'run'],
    ['cc @airlock', 'invalid'],
    ['This is fixed in main.\n\ncc @airlock', 'invalid'],
    ['cc @airlock please fix it', 'run'],
    ['@airlock constructor', 'run'],
  ])('are parsed: %j asks for %s', (text, ask) => {
    const mention = parse(text);
    expect(mention.kind === 'mention' ? mention.ask.kind : null).toBe(ask);
  });
});

describe('the instruction', () => {
  it('loses its middle at the limit of the task schema, and says so', () => {
    const instruction = instructionOf(`@airlock ${'x'.repeat(50_000)}${'y'.repeat(50_000)}`) ?? '';
    expect(instruction.length).toBeLessThanOrEqual(70_000);
    expect(instruction).toMatch(/^x+\n\[30000 characters or more are left out here\]\ny+$/);
  });
});

describe('hostile text', () => {
  it.each(hostileMentionPieces)('holds no mention, and is read to its end: %j', (piece) => {
    expect(parse(repeated(piece))).toEqual({ kind: 'none' });
  });

  it('never throws, and never finds a mention inside a fence', () => {
    const piece = fc.constantFrom(
      '@airlock',
      ' ',
      '\n',
      '`',
      '```',
      '~~~',
      '> ',
      '- ',
      '<!--',
      '-->',
      '    ',
      '\t',
      'x',
      '<pre>',
      '--base',
      '=',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (parts) => {
        expect(['none', 'mention']).toContain(parse(parts.join('')).kind);
        const inside = parts.filter((part) => !part.includes('~')).join('');
        expect(parse(`~~~\n${inside}\n~~~`).kind).toBe('none');
      }),
    );
  });
});
