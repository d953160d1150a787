/** The check run “Airlock receipt” on a simulated GitHub: when it is made, and what it says. */
import { describe, expect, it } from 'vitest';
import type { Permissions } from '../../simulators/github/contract.ts';
import { emptyReceipt, type Receipt } from '../../src/core/grant.ts';
import type { PublishInput, ReceiptCheck } from '../../src/core/ports/publication.ts';
import { Reported } from '../../src/core/reported.ts';
import { createPublication } from '../../src/publish/publisher.ts';
import { receiptCheck } from '../../src/publish/receipt-check.ts';
import { factsOf, ownProcess, publishInput, simulatedGithub } from './simulated-github.ts';
import { smallMeasure } from '../fixtures/sample-measure.ts';

const at = { owner: 'acme', name: 'split' };
const mayWriteChecks: Permissions = { contents: 'write', pull_requests: 'write', checks: 'write' };
const taskId = 'gh-1-c77';
const trailer = (id: string): string => `Change something\n\nAirlock-Task: ${id}\n`;

const change = {
  base: 'a'.repeat(40),
  files: [],
  skipped: [],
  links: [],
  diskFull: false,
  measure: { ...smallMeasure, insertions: 0, deletions: 0 },
} satisfies PublishInput['change'];

/** A pull request with one commit of Airlock on its head. */
async function scene(permissions: Permissions = mayWriteChecks) {
  const simulator = await simulatedGithub(permissions);
  const repository = await simulator.createRepository({ ...at, files: { a: '1\n' } });
  const facts = factsOf(repository);
  const files = { a: '2\n' };
  const opening = { ...at, author: 'maria', branch: 'airlock/x', base: 'main', title: 'X', files };
  const { number } = await simulator.openPull(opening);
  const push = async (message: string) =>
    (await simulator.moveBranch({ ...at, branch: 'airlock/x', files: { [message]: message }, message })).sha;
  const save = async (id: string, check: ReceiptCheck, fetch_: typeof fetch = fetch) =>
    await createPublication(ownProcess(simulator, fetch_)).saveReceiptCheck(facts, id, check);
  return { simulator, facts, number, push, save };
}

const plain = publishInput(
  { ...at, repositoryId: 1, installationId: 1, defaultBranch: 'main', private: true },
  change,
);
const marked = { ...plain, remarks: ['mona approved what was held here: `.env`. It is @everybody’s.'] };
const checkOf = (input: PublishInput, sha: string | null, pull: number | null) =>
  receiptCheck(input, sha, pull);

describe('the check run of a published commit', () => {
  it('is neutral without a button if nothing is marked, and made once by attempts that overlap', async () => {
    const { simulator, push, save, number } = await scene();
    const sha = await push(trailer(taskId));
    expect(await save(taskId, checkOf(plain, sha, number))).toBe('saved');
    expect(await save(taskId, checkOf(plain, sha, number))).toBe('exists');
    expect(simulator.checkRuns({ ...at, sha })).toMatchObject([
      { name: 'Airlock receipt', conclusion: 'neutral', externalId: taskId, actions: [] },
    ]);
  });

  it('fails with a button if something is marked, and names who approved it', async () => {
    const { simulator, push, save } = await scene();
    const sha = await push(trailer(taskId));
    await save(taskId, checkOf(marked, sha, null));
    const [run] = simulator.checkRuns({ ...at, sha });
    expect(run).toMatchObject({ conclusion: 'failure', actions: [{ identifier: 'accept' }] });
    expect(run?.output.summary).toContain('mona approved what was held here');
    expect(run?.output.summary).toContain('@\u200Beverybody');
    expect(run?.output.title).toContain('1 remark');
  });

  it('is on no commit but the task’s own', async () => {
    const { save } = await scene();
    expect(await save(taskId, checkOf(plain, null, null))).toBe('gone');
  });

  it('fails for marks of an earlier commit that nobody has accepted', async () => {
    const { simulator, push, save, number } = await scene();
    const first = await push(trailer('gh-1-c1'));
    await save('gh-1-c1', checkOf(marked, first, number));
    await push('Somebody else');
    const second = await push(trailer('gh-1-c2'));
    await save('gh-1-c2', checkOf(plain, second, number));
    const third = await push(trailer('gh-1-c3'));
    await save('gh-1-c3', checkOf(plain, third, number));
    const runs = [first, second, third].flatMap((sha) => simulator.checkRuns({ ...at, sha }));
    expect(runs.map(({ conclusion }) => conclusion)).toEqual(['failure', 'failure', 'failure']);
    const [one, two, three] = runs.map(({ id }) => id);
    expect(runs[2]?.externalId).toBe(`gh-1-c3 ${two} ${one}`);
    expect([three, runs[2]?.output.title]).toEqual([
      expect.any(Number),
      'An earlier commit has remarks that nobody accepted',
    ]);
    expect(runs[1]?.output.summary).toContain(first.slice(0, 10));
  });

  it.each<[string, Permissions, Permissions | null]>([
    ['the App lacks the permission', { ...mayWriteChecks, checks: 'read' }, null],
    ['the account has not accepted it', mayWriteChecks, { ...mayWriteChecks, checks: 'read' }],
    ['the App is older than checks', { contents: 'write', pull_requests: 'write' }, null],
  ])('is not tried if %s', async (_, permissions, accepted) => {
    const simulator = await simulatedGithub(permissions);
    const facts = factsOf(await simulator.createRepository({ ...at, files: { a: '1\n' } }));
    simulator.acceptPermissions('acme', accepted);
    const publication = createPublication(ownProcess(simulator));
    const check = checkOf(plain, 'b'.repeat(40), 1);
    expect(await publication.saveReceiptCheck(facts, taskId, check)).toBe('not-permitted');
    expect(simulator.requests()).toMatchObject([{ method: 'GET', status: 200 }]);
  });
});

describe('the text of the check run', () => {
  const words = '🐞`|<!-- @a'.repeat(100);
  const denied = Array.from({ length: 200 }, (_, n) => ({
    method: 'POST',
    host: `${'ü'.repeat(60)}${n}.example`,
    path: `/${words}`,
    rule: 'host.unlisted',
    reason: words,
    count: 3,
    at: 0,
    command: words,
  }));
  const receipt: Receipt = {
    ...emptyReceipt,
    hosts: [{ host: 'api.openai.com', requests: 41, bytesUp: 5, bytesDown: 6 }],
    denied,
    deniedTotal: 700,
  };
  const commands = Array.from({ length: 400 }, () => ({
    command: words,
    exitCode: 1,
    status: 'completed' as const,
    outputTail: '',
    startedAt: 0,
    durationMs: 1,
  }));

  it('fits into GitHub’s bytes with its sums whole', async () => {
    const { simulator, push, save } = await scene();
    const sha = await push(trailer(taskId));
    const remarks = Array.from({ length: 100 }, () => words);
    const evidence = {
      ...plain.evidence,
      receipt,
      reported: new Reported({ commands, commandsTotal: commands.length, setup: null }),
    };
    await save(taskId, checkOf({ ...plain, remarks, evidence }, sha, null));
    const [run] = simulator.checkRuns({ ...at, sha });
    const { summary = '', text = '' } = run?.output ?? {};
    expect(summary).toContain('**41 allowed** to 1 host, **700 blocked**, **0 failed**');
    expect(summary).toContain('can press **Accept**');
    expect(text).toContain('Blocked attempts: 700');
    expect(text).toContain('1,000 tokens in');
    expect(`${summary}${text}`).not.toMatch(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])/);
  });

  it('links to no conversation, also of a repository that is still private', () => {
    const evidence = { ...plain.evidence, conversationUrl: 'https://acme.slack.com/archives/C1/p1' };
    expect(JSON.stringify(checkOf({ ...plain, evidence }, 'b'.repeat(40), null))).not.toContain('slack');
  });

  it('says who may accept where the configuration demands a second person', () => {
    const policy = { ...plain.policy, approval: 'second-person' } as const;
    const { summary } = checkOf({ ...marked, policy }, 'b'.repeat(40), null);
    expect(summary).toContain('Somebody with write access, other than who asked, can press **Accept**');
  });
});
