/** A reporter of vitest that writes counts, and each file's seconds with its set-up, for `npm test`. */
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';
import { projectRoot } from '../../host/project-root.ts';
import type { TestCounts } from './summary.ts';

/** Names the file to write to. */
export const countsFileVariable = 'AIRLOCK_TEST_COUNTS';

export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const file = process.env[countsFileVariable];
    if (file === undefined) return;
    const states = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => test.result().state),
    );
    const unloaded = modules.filter((module) => module.errors().length > 0 && module.children.size === 0);
    const counts: TestCounts = {
      passed: states.filter((state) => state === 'passed').length,
      failed: states.filter((state) => state === 'failed').length + unloaded.length,
      skipped: states.filter((state) => state === 'skipped' || state === 'pending').length,
      files: modules.map((module) => {
        const { collectDuration, duration, setupDuration } = module.diagnostic();
        return {
          name: relative(projectRoot, module.moduleId),
          seconds: (collectDuration + duration + setupDuration) / 1000,
        };
      }),
    };
    writeFileSync(file, JSON.stringify(counts));
  }
}
