/** The stories run every step that the Workflow names. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../host/project-root.ts';
import { nameOf } from './kill-points.ts';
import { stories } from './stories.ts';

const folder = join(projectRoot, 'src', 'tasks', 'workflow');

/** As they are in the source: `run('clone', …)`, `stepOf(step, 'context', …)`, `step.do('report', …)`. */
function stepsInSource(): readonly string[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  const calls = /(?:\brun(?:<[^(]*>)?\(|\bstepOf\(\s*step,|\.do\(|\bbestEffort\()\s*'([a-z-]+)'/g;
  return files.flatMap((name) =>
    [...readFileSync(join(folder, name), 'utf8').matchAll(calls)].map(([, step = '']) => step),
  );
}

it('have a kill point at each step of the Workflow', () => {
  const killed = stories.flatMap(({ steps, killedAt = steps }) => killedAt).map((step) => nameOf(step));
  expect([...new Set(stepsInSource())].toSorted()).toEqual(
    [...new Set(killed)].filter((step) => !step.startsWith('wait for ')).toSorted(),
  );
});
