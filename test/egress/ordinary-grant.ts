/** The grant of attacks that bring none: a running task's, with nothing but its repository. */
import type { Grant } from '../../src/core/grant.ts';
import { exampleGrant } from '../fixtures/example-grant.ts';

export const ordinaryGrant: Grant = {
  ...exampleGrant,
  phase: 'run',
  lfs: false,
  alsoRead: [],
  setupHosts: [],
  registries: [],
  extraHosts: [],
};
