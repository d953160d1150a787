import { expect, it } from 'vitest';
import { inheritedDescriptors, leakOf, startWithDescriptors } from '../../probes/descriptors.ts';

const inherited = await startWithDescriptors();

it.each(inheritedDescriptors.map(({ kind, at }, index) => [kind, at, index] as const))(
  'keeps from a sandbox a %s that the host inherited at %i',
  (_kind, _at, index) => {
    expect(leakOf(inherited, index)).toBe('not there');
  },
);
