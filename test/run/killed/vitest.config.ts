/** A test run of its own, which `end-with-run.test.ts` kills. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['hangs.ts'],
    globalSetup: ['../end-with-run.ts'],
    pool: 'forks',
    isolate: false,
    testTimeout: 600_000,
    fsModuleCache: false,
  },
});
