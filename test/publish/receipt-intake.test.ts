/** Events about the check run “Airlock receipt”, from the delivery's body to what GitHub then shows. */
import { describe, expect, it } from 'vitest';
import type { Delivery, Permissions } from '../../simulators/github/contract.ts';
import type { AskedBy } from '../../src/core/access/approver.ts';
import type { ApprovalRule } from '../../src/core/policy.ts';
import { mayWriteChecks, saveReceiptRun } from '../../src/github/receipt-checks.ts';
import { onReceiptEvent, type ReceiptIntakeDeps } from '../../src/github/receipt-intake.ts';
import { readWebhook } from '../../src/github/webhook-events.ts';
import { factsOf, ownProcess, simulatedGithub, taskRequest } from './simulated-github.ts';

const at = { owner: 'acme', name: 'split' };
const mayWrite: Permissions = { contents: 'write', pull_requests: 'write', checks: 'write' };
const marked = { isMarked: true, title: '1 remark to read', summary: 'Read this.', text: 'All details' };
const plain = { isMarked: false, title: 'No remarks', summary: 'Fine.', text: '' };

interface Rules {
  config: ApprovalRule | null;
  task: ApprovalRule;
  /** Whether the record of the task is. */
  kept: boolean;
}

/** A pull request whose first commit is by a person. `asker`: the account that asked for every task. */
async function scene(permissions = mayWrite) {
  const simulator = await simulatedGithub(permissions);
  const repository = await simulator.createRepository({
    ...at,
    files: { a: '1\n' },
    collaborators: [
      { login: 'asker', permission: 'write' },
      { login: 'mona', permission: 'maintain' },
      { login: 'rex', permission: 'read' },
    ],
  });
  const facts = factsOf(repository);
  const opening = { ...at, author: 'asker', branch: 'x', base: 'main', title: 'X', files: { a: '2\n' } };
  const opened = await simulator.openPull(opening);
  const pull = opened.number;
  const process = ownProcess(simulator);
  const account = async (login: string) => {
    const { id } = await (await fetch(`${simulator.apiUrl}/users/${login}`)).json();
    return { login, id: Number(id) };
  };
  const asker = await account('asker');
  const rules: Rules = { config: 'anyone', task: 'anyone', kept: true };
  const asked: AskedBy = { request: taskRequest({ requester: asker }), account: asker };
  const deps: ReceiptIntakeDeps = {
    ...process,
    mayWrite: async (place) => await mayWriteChecks(process, place),
    ruleOf: () => rules.config,
    askedBy: async (_, repositoryId) =>
      rules.kept && repositoryId === facts.repositoryId ? { asked, rule: rules.task } : null,
  };
  const push = async (message: string) =>
    (await simulator.moveBranch({ ...at, branch: 'x', files: { [message]: message }, message })).sha;
  const receive = async ({ event, body }: Pick<Delivery, 'event' | 'body'>) => {
    const reading = readWebhook(event, JSON.parse(body), { mention: 'airlock', label: 'codex' });
    return reading.kind === 'receipt' ? await onReceiptEvent(reading.event, deps) : reading;
  };
  /** A commit of Airlock with its receipt. */
  const published = async (taskId: string, check: typeof marked) => {
    const sha = await push(`Change\n\nAirlock-Task: ${taskId}`);
    await saveReceiptRun(process, facts, taskId, { ...check, sha, pull });
    return sha;
  };
  const runsOf = (sha: string) => simulator.checkRuns({ ...at, sha });
  const press = async (sha: string, actor: string) => {
    const run = runsOf(sha).at(-1)?.id ?? 0;
    const { delivery } = await simulator.pressCheckButton({ ...at, run, identifier: 'accept', actor });
    return { delivery, done: await receive(delivery) };
  };
  /** As GitHub sends it for a push, or for a pull request that is opened again. */
  const pullEvent = async (sha: string, action = 'synchronize') => {
    const body = opened.delivery.body.replaceAll(opened.headSha, sha);
    return await receive({
      event: 'pull_request',
      body: body.replace('"action":"opened"', `"action":"${action}"`),
    });
  };
  const conclusions = (...commits: string[]) => commits.map((sha) => runsOf(sha).at(-1)?.conclusion ?? null);
  return {
    simulator,
    facts,
    process,
    rules,
    push,
    published,
    press,
    receive,
    pullEvent,
    runsOf,
    conclusions,
    opened,
  };
}

describe('the button of a marked receipt', () => {
  it('makes the check neutral, names who accepted it, and changes nothing when delivered again', async () => {
    const it = await scene();
    const sha = await it.published('gh-1-c1', marked);
    const { delivery, done } = await it.press(sha, 'mona');
    expect(done).toBe('accepted');
    const runs = it.runsOf(sha);
    expect(runs).toMatchObject([
      {
        conclusion: 'neutral',
        externalId: 'gh-1-c1',
        actions: [],
        output: {
          title: 'Accepted · 1 remark to read',
          summary: '✅ mona read and accepted this.\n\nRead this.',
          text: 'All details',
        },
      },
    ]);
    expect(await it.receive(delivery)).toBe('nothing-marked');
    // A retried publication finds the run, and does not take the acceptance back.
    await saveReceiptRun(it.process, it.facts, 'gh-1-c1', { ...marked, sha, pull: 1 });
    expect(it.runsOf(sha)).toEqual(runs);
  });

  it('refuses strangers without a word, and who asked where a second person is demanded', async () => {
    const it = await scene();
    const sha = await it.published('gh-1-c1', marked);
    const rows: readonly [actor: string, rules: Partial<Rules>, summary: RegExp][] = [
      ['rex', {}, /^Read this\.$/],
      ['nobody', {}, /^Read this\.$/],
      // The rule when the task was authorized, and the one since.
      ['asker', { task: 'second-person' }, /^⚠️ Not accepted: asker asked/],
      ['asker', { config: 'second-person' }, /^⚠️ Not accepted: asker asked/],
      ['mona', { config: 'second-person', kept: false }, /^⚠️ Not accepted: .*no longer kept/],
      ['nobody', { config: 'second-person', kept: false }, /^⚠️ Not accepted: .*no longer kept/],
    ];
    for (const [actor, rules, summary] of rows) {
      Object.assign(it.rules, { config: 'anyone', task: 'anyone', kept: true }, rules);
      expect([actor, (await it.press(sha, actor)).done]).toEqual([actor, 'refused']);
      const [run] = it.runsOf(sha);
      expect(run).toMatchObject({ conclusion: 'failure', actions: [{ identifier: 'accept' }] });
      expect(run?.output.summary).toMatch(summary);
      expect(run?.output.summary?.match(/Not accepted/g)?.length ?? 0).toBeLessThan(2);
    }
  });

  it('takes a second person where one is demanded, in place of the refusal of the first', async () => {
    const it = await scene();
    it.rules.task = 'second-person';
    const sha = await it.published('gh-1-c1', marked);
    await it.press(sha, 'asker');
    expect((await it.press(sha, 'mona')).done).toBe('accepted');
    expect(it.runsOf(sha)[0]?.output.summary).toBe('✅ mona read and accepted this.\n\nRead this.');
  });

  it('accepts what earlier commits left marked, and on an older commit nothing that came later', async () => {
    const it = await scene();
    const first = await it.published('gh-1-c1', marked);
    const second = await it.published('gh-1-c2', plain);
    const third = await it.published('gh-1-c3', marked);
    expect(it.conclusions(first, second, third)).toEqual(['failure', 'failure', 'failure']);
    expect((await it.press(second, 'mona')).done).toBe('accepted');
    expect(it.conclusions(first, second, third)).toEqual(['neutral', 'neutral', 'failure']);
    expect((await it.press(third, 'mona')).done).toBe('accepted');
    const fourth = await it.published('gh-1-c4', plain);
    expect(it.conclusions(third, fourth)).toEqual(['neutral', 'neutral']);
  });

  it('accepts the twin that an overlapping attempt has made', async () => {
    const it = await scene();
    const sha = await it.published('gh-1-c1', marked);
    const { output, actions, externalId } = it.runsOf(sha)[0] ?? {};
    const { tokens } = it.process;
    const scope = { ...it.facts, taskId: 'x', permissions: { checks: 'write' } } as const;
    await fetch(`${it.simulator.apiUrl}/repos/acme/split/check-runs`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await tokens.tokenFor(scope)}` },
      body: JSON.stringify({
        name: 'Airlock receipt',
        head_sha: sha,
        external_id: externalId,
        status: 'completed',
        conclusion: 'failure',
        output,
        actions,
      }),
    });
    expect((await it.press(sha, 'mona')).done).toBe('accepted');
    expect(it.runsOf(sha).map(({ conclusion }) => conclusion)).toEqual(['neutral', 'neutral']);
  });

  it('does nothing for others’ check runs, without the permission, or where it is not allowed', async () => {
    const it = await scene();
    const sha = await it.published('gh-1-c1', marked);
    const { delivery } = await it.press(sha, 'rex');
    const forged = (change: object) => ({
      event: 'check_run',
      body: JSON.stringify({ ...JSON.parse(delivery.body), ...change }),
    });
    const other = it.simulator.addCheckRun({ ...at, sha, check: 'Airlock receipt', conclusion: 'failure' });
    const run = { id: other.id, name: 'Airlock receipt', head_sha: sha };
    expect(await it.receive(forged({ check_run: run }))).toBe('nothing-marked');
    expect(await it.receive(forged({ check_run: { ...run, id: 999_999 } }))).toBe('nothing-marked');
    expect(await it.receive(forged({ requested_action: { identifier: 'x' } }))).toMatchObject({
      kind: 'ignored',
    });
    const bot = { login: 'ci[bot]', id: 9, type: 'Bot' };
    expect(await it.receive(forged({ sender: bot }))).toMatchObject({ why: 'pressed by software' });
    // Not tried for ever when deliveries are read again.
    it.simulator.failNext({
      method: 'GET',
      path: /check-runs/,
      status: 403,
      message: 'Repository was archived',
    });
    expect(await it.receive(delivery)).toBe('repository-archived');
    it.simulator.acceptPermissions('acme', { ...mayWrite, checks: 'read' });
    expect(await it.receive(delivery)).toBe('not-permitted');
    it.rules.config = null;
    expect(await it.receive(delivery)).toBe('not-allowed');
  });

  it('concludes a check again that somebody asked to run again', async () => {
    const it = await scene();
    const sha = await it.published('gh-1-c1', marked);
    const { delivery } = await it.press(sha, 'rex');
    const body = JSON.stringify({ ...JSON.parse(delivery.body), action: 'rerequested' });
    expect(await it.receive({ event: 'check_run', body })).toBe('repeated');
    const suite = { ...JSON.parse(body), check_suite: { head_sha: sha } };
    expect(await it.receive({ event: 'check_suite', body: JSON.stringify(suite) })).toBe('repeated');
    expect(it.runsOf(sha)).toMatchObject([{ conclusion: 'failure', actions: [{ identifier: 'accept' }] }]);
  });
});

describe('a branch that demands the receipt', () => {
  const demanded = async () => {
    const it = await scene();
    const required_status_checks = [{ context: 'Airlock receipt' }];
    const parameters = { required_status_checks, strict_required_status_checks_policy: false };
    const rules = [{ type: 'required_status_checks', parameters }] as const;
    it.simulator.addRuleset({ ...at, include: ['~DEFAULT_BRANCH'], rules });
    return it;
  };

  it('gets a neutral one for the pull requests of people, and none where it does not demand it', async () => {
    const it = await scene();
    const { headSha } = it.opened;
    expect(await it.receive(it.opened.delivery)).toBe('not-demanded');
    it.simulator.requireCheck({ ...at, branch: 'main', check: 'Airlock receipt' });
    expect(await it.receive(it.opened.delivery)).toBe('saved');
    expect(await it.receive(it.opened.delivery)).toBe('exists');
    expect(it.runsOf(headSha)).toMatchObject([{ conclusion: 'neutral', externalId: '-' }]);
    expect(it.runsOf(headSha)[0]?.output.summary).toContain('No commit of Airlock is in this pull request');
  });

  it('gets one for what people push onto a commit of Airlock, which hides no mark', async () => {
    const it = await demanded();
    const first = await it.published('gh-1-c1', marked);
    const above = await it.push('By a person');
    expect(await it.pullEvent(above)).toBe('saved');
    expect(it.conclusions(first, above)).toEqual(['failure', 'failure']);
    expect((await it.press(above, 'mona')).done).toBe('accepted');
    expect(it.conclusions(first, above)).toEqual(['neutral', 'neutral']);
    const again = await it.push('By a person again');
    expect(await it.pullEvent(again)).toBe('saved');
    expect(it.conclusions(again)).toEqual(['neutral']);
  });

  it('counts no run that a commit got where the mark was not in its pull request', async () => {
    const it = await demanded();
    it.simulator.requireCheck({ ...at, branch: 'x', check: 'Airlock receipt' });
    await it.published('gh-1-c1', marked);
    const files = { b: '2\n' };
    const side = await it.simulator.openPull({
      ...at,
      author: 'asker',
      branch: 'y',
      base: 'x',
      title: 'Y',
      files,
    });
    expect(await it.receive(side.delivery)).toBe('saved');
    expect(it.conclusions(side.headSha)).toEqual(['neutral']);
    expect(await it.pullEvent(side.headSha)).toBe('saved');
    expect(await it.pullEvent(side.headSha)).toBe('exists');
    expect(it.conclusions(side.headSha)).toEqual(['failure']);
    it.rules.task = 'second-person';
    expect((await it.press(side.headSha, 'asker')).done).toBe('refused');
    // Or the other pull request gets another base.
    const edit = (changes: object) =>
      it.receive({
        event: 'pull_request',
        body: JSON.stringify({ ...JSON.parse(side.delivery.body), action: 'edited', changes }),
      });
    expect(await edit({ title: { from: 'X' } })).toMatchObject({ kind: 'ignored' });
    expect(await edit({ base: { ref: { from: 'x' } } })).toBe('exists');
  });

  it('fails for a push onto a commit of Airlock whose receipt is not there yet', async () => {
    const it = await demanded();
    it.rules.task = 'second-person';
    await it.push('Change\n\nAirlock-Task: gh-1-c1');
    const above = await it.push('By a person');
    expect(await it.pullEvent(above)).toBe('saved');
    expect(await it.pullEvent(above)).toBe('exists');
    expect(it.conclusions(above)).toEqual(['failure']);
    expect((await it.press(above, 'asker')).done).toBe('refused');
    expect((await it.press(above, 'mona')).done).toBe('accepted');
    // Anybody can write the name of a task that does not exist.
    it.rules.kept = false;
    const forged = await it.push('Change\n\nAirlock-Task: gh-1-c9');
    const top = await it.push('By a person again');
    expect(await it.pullEvent(top)).toBe('saved');
    expect(it.conclusions(forged, top)).toEqual([null, 'neutral']);
  });

  it('leaves the receipt of a commit of Airlock to its publication, and fails without one', async () => {
    const it = await demanded();
    it.rules.task = 'second-person';
    const sha = await it.push('Change\n\nAirlock-Task: gh-1-c1');
    expect(await it.pullEvent(sha)).toBe('exists');
    expect(it.runsOf(sha)).toEqual([]);
    expect(await it.pullEvent(sha, 'reopened')).toBe('saved');
    expect(it.runsOf(sha)).toMatchObject([{ conclusion: 'failure', externalId: 'gh-1-c1' }]);
    expect((await it.press(sha, 'asker')).done).toBe('refused');
    expect((await it.press(sha, 'mona')).done).toBe('accepted');
  });
});
