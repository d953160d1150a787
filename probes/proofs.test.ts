import { expect, it } from 'vitest';
import { projectRoot } from '../host/project-root.ts';
import { insideGroups } from './inside-groups.ts';
import { exemplaryPlace } from './place.ts';
import { patched, proofs } from './proofs.ts';
import { listProbes } from './suite.ts';

it.each(proofs.map((proof) => [proof.protection, proof] as const))(
  'can take away, in the present programs, that %s',
  async (_, { probes, patches, sandbox }) => {
    const ids = listProbes(sandbox).map(({ id }) => id);
    expect(ids.filter((id) => probes.test(id))).not.toEqual([]);
    for (const patch of patches) expect(await patched(projectRoot, patch)).toContain(patch.replace);
  },
);

it('has each script that must be refused show that its own first step worked', () => {
  const refusal = /^(?:E(?!NOTFOUND|NODATA)[A-Z]+|refused|none|not there)$/;
  const blind = insideGroups
    .flatMap(({ probes }) => probes(exemplaryPlace))
    .flatMap(({ id, expected, program }) => {
      if (program.kind !== 'script' || !expected.some((one) => refusal.test(one))) return [];
      const { target, control, source } = program;
      return (target ?? control ?? /\bexit 1\b|\bdie\b/.exec(source)) ? [] : [id];
    });
  expect(blind).toEqual([]);
});
