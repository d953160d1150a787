import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostileAskPieces, repeated } from '../../../test/fixtures/hostile-text.ts';
import { readAsk } from './ask-words.ts';
import { speaksOfChecks } from './instruction.ts';
import { parseMention } from './mention.ts';
import { taskRequestSchema, type RepositoryRef } from '../task.ts';

const shop: RepositoryRef = { owner: 'acme', name: 'shop' };
const aliases: Readonly<Record<string, RepositoryRef>> = { shop, help: { owner: 'acme', name: 'help' } };
const byAlias = (word: string): RepositoryRef | null =>
  Object.hasOwn(aliases, word.toLowerCase()) ? (aliases[word.toLowerCase()] ?? null) : null;
const read = (words: string) => readAsk(words, byAlias);

describe('the beginning of the words', () => {
  it.each<[string, RepositoryRef | null, string, object]>([
    ['fix it', null, 'fix it', {}],
    ['acme/shop fix it', shop, 'fix it', {}],
    ['  acme/shop   fix it  ', shop, 'fix it', {}],
    ['acme/shop: fix it', shop, 'fix it', {}],
    ['acme/shop, fix it', shop, 'fix it', {}],
    ['`acme/shop` fix it', shop, 'fix it', {}],
    ['acme/shop\nfix it\n\nplease', shop, 'fix it\n\nplease', {}],
    ['acme/shop', shop, '', {}],
    ['shop fix it', shop, 'fix it', {}],
    ['Shop: fix it', shop, 'fix it', {}],
    ['shops fix it', null, 'shops fix it', {}],
    ['fix acme/shop', null, 'fix acme/shop', {}],
    ['fix the shop', null, 'fix the shop', {}],
    ['other/unlisted fix it', { owner: 'other', name: 'unlisted' }, 'fix it', {}],
    ['and/or is wrong in the docs', { owner: 'and', name: 'or' }, 'is wrong in the docs', {}],
    ['src/core/ids.ts is wrong', null, 'src/core/ids.ts is wrong', {}],
    ['https://github.com/acme/shop fix it', null, 'https://github.com/acme/shop fix it', {}],
    ['acme/.. fix it', null, 'acme/.. fix it', {}],
    ['acme/shop other/lib fix it', shop, 'other/lib fix it', {}],
    ['acme/shop shop fix it', shop, 'shop fix it', {}],
    ['--base dev acme/shop fix it', shop, 'fix it', { base: 'dev' }],
    ['acme/shop --base dev fix it', shop, 'fix it', { base: 'dev' }],
    ['--base dev shop --effort=HIGH fix it', shop, 'fix it', { base: 'dev', effort: 'high' }],
    ['—model gpt-x –effort low fix it', null, 'fix it', { model: 'gpt-x', effort: 'low' }],
    ['shop —base “release/1” fix it', shop, 'fix it', { base: 'release/1' }],
    ['shop\n--base dev\nfix it', shop, 'fix it', { base: 'dev' }],
    ['--base dev', null, '', { base: 'dev' }],
    ['fix the --base option', null, 'fix the --base option', {}],
    ['shop fix the --base option', shop, 'fix the --base option', {}],
    ['shop - one\n- two', shop, '- one\n- two', {}],
    ['', null, '', {}],
    [' \n\t ', null, '', {}],
  ])('names repository and options: %j', (words, repository, instruction, options) => {
    expect(read(words)).toEqual({ ask: { kind: 'run' }, repository, instruction, options });
  });

  it.each([
    ['--branch x fix it', '`--branch`'],
    ['shop --base', '`--base` needs a value'],
    ['shop --base\ndev fix it', '`--base` needs a value'],
    ['--base a shop --base b fix it', '`--base` is given twice'],
    ['--base a..b shop fix it', '`a..b` cannot be the name of a branch'],
    ['--effort lots fix it', 'not `lots`'],
    ['--model $(id) fix it', '`$(id)` cannot be the name of a model'],
    ['--constructor x', 'There is no option'],
  ])('gets the reason of the mistake: %j', (words, part) => {
    const { ask, options } = read(words);
    expect(ask.kind === 'invalid' ? ask.message : '').toContain(part);
    expect(options).toEqual({});
  });

  it('keeps the repository before a mistake, and the words from the mistake on', () => {
    expect(read('shop --bse dev fix it')).toMatchObject({
      ask: { kind: 'invalid' },
      repository: shop,
      instruction: '--bse dev fix it',
    });
  });
});

describe('a job', () => {
  it.each<[string, string | undefined, string]>([
    ['fix the checks', 'fix-checks', 'fix the checks'],
    ['Please fix CI!', 'fix-checks', 'Please fix CI!'],
    ['make the tests green again', 'fix-checks', 'make the tests green again'],
    ['CI is red, please fix', 'fix-checks', ''],
    ['The tests are failing again, can you fix them?', 'fix-checks', ''],
    ['the build is broken. Fix it!', 'fix-checks', ''],
    ['fix the failing GitHub Actions runs on this pull request', 'fix-checks', ''],
    ['get the build to pass, thanks', 'fix-checks', ''],
    ['shop resolve the merge conflicts with main', 'resolve-conflicts', ''],
    ['resolve conflicts', 'resolve-conflicts', ''],
    ['please update this branch', 'resolve-conflicts', ''],
    ['fix the tests of split()', undefined, ''],
    ['make the tests faster', undefined, ''],
    ['resolve the conflicts in the style guide', undefined, ''],
    ['ask how does split() round?', 'question', 'how does split() round?'],
    ['ask: --effort low shop why?', 'question', 'why?'],
    ['shop ask why?', 'question', 'why?'],
    ['shop asks why', undefined, 'asks why'],
    ['ask, please: what is a slot?', 'question', 'please: what is a slot?'],
    ['ask explain the retry logic', 'question', 'explain the retry logic'],
    ['ask: is the user told?', 'question', 'is the user told?'],
    ['ask for confirmation before deleting', undefined, 'ask for confirmation before deleting'],
    ['please ask what a slot is', 'question', 'what a slot is'],
    ['please ask for confirmation before deleting', undefined, 'please ask for confirmation'],
    ['ask the user twice', undefined, 'ask the user twice'],
    ['ask customers whether they want a receipt', undefined, 'ask customers whether'],
    ['ask before overwriting a file', undefined, 'ask before overwriting'],
  ])('is read from %j', (words, job, instruction) => {
    const { ask, instruction: said } = read(words);
    expect(ask).toEqual(job === undefined ? { kind: 'run' } : { kind: 'run', job });
    expect(said).toContain(instruction);
  });

  it.each<[string, string]>([
    ['approve `0123456789AB`', 'approve'],
    ['please approve 0123456789ab', 'approve'],
    ['approve `0123456789ab` thanks!', 'approve'],
    ['approve the change 0123456789ab…', 'approve'],
    ['approve', 'invalid'],
    ['approve this', 'invalid'],
    ['approve the change', 'invalid'],
    ['approve 0123456789a', 'invalid'],
    ['approve button is grey', 'run'],
    ['approve the refund when it is below 5', 'run'],
  ])('approves a change by the beginning of its hash: %j', (words, kind) => {
    const { ask } = read(words);
    expect(ask).toMatchObject(kind === 'approve' ? { kind, hash: '0123456789ab' } : { kind });
  });

  it('retries no task by its id', () => {
    expect(read('retry 0123abcd').ask).toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('`retry` as the only'),
    });
    expect(read('retry requests').ask).toEqual({ kind: 'run' });
  });

  it('is a question on GitHub too, without the word in front', () => {
    const text = 'Strange. @airlock --effort low ask why is it 2?';
    expect(parseMention(text, 'airlock')).toMatchObject({
      ask: { kind: 'run', job: 'question' },
      instruction: 'Strange. why is it 2?',
      options: { effort: 'low' },
    });
    expect(parseMention('@airlock fix the checks', 'airlock')).toMatchObject({
      ask: { kind: 'run', job: 'fix-checks' },
      instruction: 'fix the checks',
    });
  });
});

describe('a command', () => {
  it.each([
    ['help', 'help'],
    [' HELP! ', 'help'],
    ['status', 'status'],
    ['cancel', 'cancel'],
    ['stop.', 'cancel'],
    ['retry', 'retry'],
    ['sta\u200Btus', 'status'],
    ['cancel please', 'cancel'],
    ['please stop', 'cancel'],
    ['stop it!', 'cancel'],
    ['Please cancel this task now, thanks', 'cancel'],
    ['never mind', 'cancel'],
    ['停止！', 'cancel'],
    ['stop 🛑', 'cancel'],
    ['retry please', 'retry'],
    ['try again', 'retry'],
    ['please run it again', 'retry'],
    ['Any update?', 'status'],
    ['retry\n\nSent from my iPhone', 'retry'],
  ])('%j is %s', (words, kind) => {
    expect(read(words)).toEqual({ ask: { kind }, repository: null, instruction: '', options: {} });
  });

  it.each([
    'stop using var',
    'help me',
    'shop status',
    '--base main cancel',
    'constructor',
    'cancel the order twice',
    'stop the task from crashing',
    'please help',
    'retry failed uploads',
  ])('%j is a task', (words) => {
    expect(read(words).ask).toEqual({ kind: 'run' });
  });
});

it.each(['cancel 1234abcd', 'stop, this is wrong', 'Stop! Use the other API', 'cancel\nit works already'])(
  '%j is a question: a task would wait for the one to stop',
  (words) => expect(read(words).ask).toMatchObject({ kind: 'invalid' }),
);

describe('hostile words', () => {
  const schema = taskRequestSchema.pick({ ask: true, repository: true, instruction: true, options: true });
  it.each([
    ['bidi', 'shop fix \u202Etxt.exe\u202C now', 'fix txt.exe now'],
    ['zero width', 'sh\u200Bop fix\u200B it', 'fix it'],
    ['tag characters', `shop fix it${String.fromCodePoint(0xe0041, 0xe0042)}`, 'fix it'],
    ['control characters', 'shop fix\u0000 \u001B[31mit', 'fix [31mit'],
    ['a lone surrogate', 'shop fix \uD800it', 'fix it'],
  ])('lose invisible characters: %s', (_, words, instruction) => {
    expect(read(words)).toMatchObject({ repository: shop, instruction });
  });

  it('keep their markup', () => {
    expect(read('fix the <!-- comment --> in `a.html`').instruction).toBe(
      'fix the <!-- comment --> in `a.html`',
    );
  });

  it('are cut at the limit of the task schema, and say so', () => {
    const { instruction } = read(`shop ${'x'.repeat(80_000)}`);
    expect(instruction.length).toBeLessThanOrEqual(70_000);
    expect(instruction).toContain('characters or more are left out here]');
  });

  it('never throw, and always make a valid task request', () => {
    const word = fc.oneof(
      fc.constantFrom(
        '--base',
        '--base=',
        '—effort',
        'high',
        'acme/shop',
        'shop',
        '"',
        '`',
        'a..b',
        '\u202E',
      ),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), fc.constantFrom(' ', '\n', ''), (parts, between) => {
        const made = read(parts.join(between));
        expect(schema.parse(made)).toEqual(made);
        if (made.ask.kind !== 'invalid') return;
        expect(made.options).toEqual({});
      }),
    );
  });

  it.each(hostileAskPieces)('are read to their end when somebody repeats %j', (piece) => {
    expect(schema.safeParse(read(repeated(piece))).success).toBe(true);
  });
});

it.each([
  ['fix the tests and add docs', true],
  ['Rename it. CI fails on Windows, too.', true],
  ['Why is the build red?', true],
  ['make lint pass, and say why', true],
  ['round down in split()', false],
  ['add a test for split()', false],
  ['check the docs', false],
  ['it fails with an odd number', false],
  ['', false],
])('of %j says whether it speaks of failing checks: %s', (words, speaks) => {
  expect(speaksOfChecks(words)).toBe(speaks);
});
