/** A grant with one of everything, for tests and benches. */
import type { Grant } from '../core/grant.ts';

export const exampleGrant: Grant = {
  taskId: 'gh-1-c2',
  phase: 'run',
  repositories: [{ owner: 'Acme', name: 'Split-Bill', installationId: 1, repositoryId: 2 }],
  alsoRead: [{ owner: 'acme', name: 'shared.css', installationId: 1, repositoryId: 3 }],
  lfs: true,
  setupHosts: ['registry.example.com', 'both.example.com'],
  extraHosts: ['docs.example.com', 'both.example.com'],
  models: ['gpt-6.1-sol', 'gpt-5.5'],
  canaryNonce: 'd2f1c0ffee',
  budgets: { requests: 100, tokens: 1_000, bytesUp: 10_000_000, bytesDown: 100_000 },
  used: { requests: 0, tokens: 0, bytesUp: 0, bytesDown: 0 },
};
