/**
 * The demo, as the README has people start it: both stories play to their end, and what they promise holds.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../host/project-root.ts';

const run = promisify(execFile);
/** The README promises about a minute. */
const timeoutMs = 500_000;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'airlock-demo-test-'));
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

/** Its output, as a pipe gets it. Rejects when it ends with anything but 0. */
async function demo(...argv: string[]): Promise<string> {
  const { stdout } = await run(
    process.execPath,
    ['cli/demo.ts', '--state', join(folder, argv.join('') || 'github'), ...argv],
    { cwd: projectRoot, timeout: timeoutMs, env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined } },
  );
  return stdout;
}

const checksOf = (output: string) => output.match(/^[✓✗] .*$/gm) ?? [];

describe.each([
  ['on GitHub', [], ['the progress comment links to the pull request', 'every token was revoked']],
  [
    'in Slack',
    ['--slack'],
    [
      'the mention and the reply became two commits on one branch',
      'there is one pull request',
      'each task has one message, in the thread',
      'the guest was refused with a reason that only they can see',
      'every token was revoked',
    ],
  ],
])('the demo %s', (_, argv, promises) => {
  it(
    'ends well, holds what it promises, and names what was blocked',
    async () => {
      const output = await demo(...argv);
      const checks = checksOf(output);
      expect(checks).toEqual(expect.arrayContaining(promises.map((what) => `✓ ${what}`)));
      expect(checks.filter((check) => check.startsWith('✗'))).toEqual([]);
      expect(output).toMatch(/blocked {2}POST collect\.evil\.example\/drop/);
      expect(output).toMatch(/blocked {2}GET github\.com\/mallory\/loot\.git/);
      // No terminal: nothing moves a cursor.
      expect(output).not.toContain('\u001B');
    },
    timeoutMs,
  );
});

it('says what it can do', async () => {
  const help = await demo('--help');
  for (const option of ['--slack', '--keep-open', '--live', '--state'])
    expect(help).toMatch(new RegExp(`^ {2}${option} `, 'm'));
});
