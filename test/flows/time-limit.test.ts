/**
 * A task's time limit stops a model that never ends, and the work is not lost. While the Worker is dead, the
 * test moves the start of the run into the past instead of waiting a minute.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { splitBillPatch } from '../../cli/demo/demo-script.ts';
import { applyPatch, shell } from '../../simulators/openai/script.ts';
import {
  ask,
  botComments,
  splitBill,
  startFlow,
  untilCommand,
  untilEnded,
  untilNothingIsLeft,
  viewOf,
  type FlowWorld,
} from './ask.ts';
import { killWorkerd } from '../../chaos/workerd-process.ts';

let flow: FlowWorld;

beforeAll(async () => {
  flow = await startFlow({
    configText: JSON.stringify({ repositories: { 'acme/split-bill': { limits: { minutes: 1 } } } }),
    // A conversation that outlives its script keeps getting the last answer.
    script: [applyPatch(splitBillPatch), shell('sleep 3; echo and again')],
  });
});
afterAll(async () => await flow.close());

/** Moves the start of the one task's run two minutes back. Returns how many records were changed. */
function letTheTimePass(): number {
  const worker = join(flow.stateDir, 'bot', 'worker');
  const files = readdirSync(worker, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.includes('TaskRecord') && /[0-9a-f]{64}\.sqlite$/.test(name),
  );
  return files.reduce((changed, name) => {
    using database = new DatabaseSync(join(worker, name));
    const { changes } = database
      .prepare(
        "UPDATE document SET body = json_set(body, '$.agentStartedAt', json_extract(body, '$.agentStartedAt') - 120000) WHERE name = 'state' AND json_extract(body, '$.agentStartedAt') > 0",
      )
      .run();
    return changed + Number(changes);
  }, 0);
}

describe('a model that never stops', () => {
  it('is stopped when its time is up, and what it did becomes a draft that says so', async () => {
    const { world } = flow;
    const { taskId, issue } = await ask(world, '@airlock fix the rounding');
    await untilCommand(world, taskId, 'and again');
    let changed = 0;
    await killWorkerd(world, () => (changed = letTheTimePass()));
    expect(changed).toBe(1);
    const { outcome } = await untilEnded(world, taskId);
    expect(outcome).toMatchObject({ kind: 'pull-request', pullRequest: { draft: true } });
    const [pull] = await world.github.pulls(splitBill);
    expect(pull?.body).toMatch(/\[!WARNING\][^]*The time limit was reached and Codex was stopped/);
    expect(botComments(world, { ...splitBill, issue })).toHaveLength(1);
    await untilNothingIsLeft(flow);
    expect((await viewOf(world, taskId)).progress?.turn?.status).not.toBe('completed');
  });
});
