/**
 * The grant that attacks run under unless they bring their own: that of a running task with nothing but its
 * repository.
 */
import type { Grant } from '../../src/core/grant.ts';
import { exampleGrant } from '../fixtures/example-grant.ts';

export const ordinaryGrant: Grant = {
  ...exampleGrant,
  phase: 'run',
  lfs: false,
  alsoRead: [],
  setupHosts: [],
  extraHosts: [],
};
