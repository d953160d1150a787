/** Compares what the collector, the parser, the gate and the publisher make of each change set with git. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OnEnd } from '../../container/sandbox-scripts.ts';
import { secretRows } from './secrets.ts';
import type { ChangeRow } from './change-row.ts';
import { contentRows } from './contents.ts';
import { runCorpus, type Outcome } from './corpus-run.ts';
import { guardedRows } from './guarded.ts';
import { kindRows } from './kinds.ts';

const rows = [...contentRows, ...kindRows, ...guardedRows, ...secretRows];
const ends: Parameters<OnEnd>[0][] = [];
let outcomes: ReadonlyMap<ChangeRow, Outcome>;
beforeAll(async () => {
  outcomes = await runCorpus(rows, (end) => ends.push(end));
});
afterAll(async () => {
  for (const end of ends.toReversed()) await end();
});

/** What has to come of a row, if git makes this of the files. */
function expected(
  { verdict = 'allow', approved, leftOut = [] }: ChangeRow,
  { files, tree }: Outcome,
): unknown {
  const isHeld = /^(?:hold|never) /.test(verdict) && approved === undefined;
  const isPublished = !isHeld && tree.staged !== tree.before;
  return {
    verdict,
    leftOut: leftOut.toSorted(),
    files: { ...files, collected: files.staged },
    tree: {
      ...tree,
      published: isPublished ? tree.staged : null,
      patched: tree.patched === null ? null : tree.staged,
    },
    result: isPublished ? 'published' : 'not published',
  };
}

describe('the corpus', () => {
  it.each(rows)('publishes $name as git commits it', (row) => {
    const outcome = outcomes.get(row);
    if (outcome === undefined) throw new Error('it was not run');
    const { verdict } = row;
    const isRemark = verdict?.startsWith('mark ') === true && outcome.verdict.includes(verdict.slice(5));
    expect({ ...outcome, ...(isRemark ? { verdict } : {}) }).toEqual(expected(row, outcome));
  });
});
