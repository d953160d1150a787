import type { WorkflowStep } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { MemoryTasks } from '../../../test/memory/memory-tasks.ts';
import { patientStep } from './patient-step.ts';

/** The platform's step, which fails `times` times with the error; returns what came out and the pauses. */
async function tried(message: string, times: number) {
  const platform: WorkflowStep = new MemoryTasks(0, () => {
    throw new Error('no record is opened');
  }).workflow('a task');
  let left = times;
  let pauses = 0;
  const step = patientStep(platform, async () => void (await Promise.resolve((pauses += 1))));
  const result = await step
    .do('work', { retries: { limit: 0, delay: 1 } }, async () => {
      if (left > 0) {
        left -= 1;
        throw new Error(message);
      }
      return await Promise.resolve('done');
    })
    .catch(String);
  return { result, pauses };
}

it.each([
  'database or disk is full: SQLITE_FULL',
  'broken.outputGateBroken; jsg.Error: database or disk is full: SQLITE_FULL',
  'attempt to write a readonly database: SQLITE_READONLY',
  'disk I/O error: SQLITE_IOERR',
  'unable to open database file: SQLITE_CANTOPEN',
  'Storage failure for publish-1 due to internal error.',
])('tries a step again until it can be stored after “%s”', async (message) => {
  expect(await tried(message, 30)).toEqual({ result: 'done', pauses: 30 });
});

it('leaves every other error to the task', async () => {
  expect(await tried('GitHub is away', 1)).toEqual({ result: 'Error: GitHub is away', pauses: 0 });
});
