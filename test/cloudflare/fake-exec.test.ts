/** Checks that programs in a fake container get no more than production documents. */
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createContainer, type FakeContainer } from '../fake-engine/container.ts';
import type { Execution } from '../fake-engine/enter.ts';
import { exitCodeOf } from '../fake-engine/exec.ts';

let container: FakeContainer;
beforeAll(async () => {
  container = await createContainer({ OF_THE_IMAGE: 'yes' }, 'plain');
  container.start(() => undefined);
});
afterAll(async () => await container.remove());

async function run(execution: Partial<Execution>, input = ''): Promise<string> {
  const child = await container.enter({ argv: ['true'], env: {}, ...execution });
  child.stdin.end(input);
  const output = await buffer(child.stdout);
  return `${output.toString()}${await exitCodeOf(child)}`;
}

describe('a program that the fake engine starts', () => {
  it.each<[string, Partial<Execution>, RegExp]>([
    [
      'gets PATH and the given variables, and no other',
      { argv: ['env'], env: { A: 'b' } },
      /^(?:PATH=[^\n]+\nA=b|A=b\nPATH=[^\n]+)\n0$/,
    ],
    ['starts in /', { argv: ['pwd'] }, /^\/\n0$/],
    ['starts in the given folder', { argv: ['pwd'], cwd: '/tmp' }, /^\/tmp\n0$/],
    ['gets its arguments as they are', { argv: ['printf', '%s|', 'a b', '$x', ''] }, /^a b\|\$x\|\|0$/],
    ['ends with 128 and the signal', { argv: ['bash', '-c', 'kill -9 $$'] }, /^137$/],
  ])('%s', async (_, execution, said) => {
    expect(await run(execution)).toMatch(said);
  });

  it('reads its input to the end', async () => {
    expect(await run({ argv: ['cat'] }, 'x'.repeat(100_000))).toBe(`${'x'.repeat(100_000)}0`);
  });

  it.each<[string, Partial<Execution>, string]>([
    ['is missing', { argv: ['no-such-program'] }, 'was not found in the container'],
    ['is a folder', { argv: ['/tmp'] }, 'was not found in the container'],
    ['names its user', { argv: ['true'], user: 'codex' }, 'unable to find user codex'],
  ])('is not started if it %s', async (_, execution, words) => {
    await expect(run(execution)).rejects.toThrow(words);
  });

  // The fake container has only one user unless the tests run as root.
  it.runIf(process.getuid?.() === 0)('runs as the given user, without capabilities', async () => {
    const script = 'id -u; id -g; id -G; grep CapEff /proc/self/status';
    expect(await run({ argv: ['bash', '-c', script], user: '1000:1001' })).toMatch(
      /^1000\n1001\n1001\nCapEff:\s0+\n0$/,
    );
  });

  it('leaves no zombie when its parent ends first', async () => {
    // Its output ends with the orphan.
    await run({ argv: ['bash', '-c', '(sleep 0.05 &)'] });
    const zombies = { argv: ['bash', '-c', 'ps -eo stat= | grep -c ^Z'] };
    await expect.poll(async () => await run(zombies)).toBe('0\n1');
  });
});
