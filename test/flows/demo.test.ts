/** The demo as in the README: both stories play to their end, and what they promise holds. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../host/project-root.ts';

/** The README promises about a minute. */
const timeoutMs = 500_000;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'airlock-demo-test-'));
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

/** Its output, as in a pipe. `visit` runs before Ctrl-C ends it. Rejects unless it ends with 0. */
async function demo(argv: readonly string[], visit?: (output: string) => Promise<void>): Promise<string> {
  const child = spawn(process.execPath, ['cli/demo.ts', ...argv], {
    cwd: projectRoot,
    timeout: timeoutMs,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
  });
  let output = '';
  const visiting: Promise<unknown>[] = [];
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (visit === undefined || visiting.length > 0 || !/^ {2}API .*$/m.test(output)) return;
    visiting.push(visit(output).finally(() => child.kill('SIGINT')));
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  await Promise.all(visiting);
  expect(code).toBe(0);
  return output;
}

/** Asks each address that the demo prints at its end. */
async function visitAddresses(output: string): Promise<void> {
  const printed = output.slice(output.indexOf('Everything is still running'));
  const addresses = printed.match(/http:\/\/\S+/g) ?? [];
  expect(addresses.length).toBeGreaterThanOrEqual(3);
  const token = /API_TOKEN=(\w+)/.exec(printed)?.[1] ?? '';
  for (const address of addresses) {
    if (address.includes('/open?')) {
      await visitPage(address);
      continue;
    }
    const answer = await fetch(address, { headers: { authorization: `Bearer ${token}` } });
    expect(`${answer.status} ${address}`).toBe(`200 ${address}`);
  }
}

/** Opens the page of the task with the one-time link. */
async function visitPage(link: string): Promise<void> {
  const opened = await fetch(link, { redirect: 'manual' });
  const page = new URL(opened.headers.get('location') ?? '', link);
  const cookie = opened.headers.getSetCookie().join().split(';')[0] ?? '';
  const shown = await (await fetch(page, { headers: { cookie } })).text();
  for (const part of ['Network receipt', 'collect.evil.example', 'class="diff"', '/assets/page.css'])
    expect(shown).toContain(part);
  expect((await fetch(page)).status).toBe(401);
  expect((await fetch(new URL('/assets/page.css', page))).headers.get('content-type')).toContain('text/css');
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
      const state = join(folder, argv.join('') || 'github');
      const output = await demo([...argv, '--state', state, '--keep-open'], visitAddresses);
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
  const help = await demo(['--help']);
  for (const option of ['--slack', '--keep-open', '--live', '--state'])
    expect(help).toMatch(new RegExp(`^ {2}${option} `, 'm'));
});
