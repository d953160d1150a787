/** Starts the longest test files first, so that no single one runs alone at the end of a whole run. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Measured; a file that is missing here only starts later. */
const longest = [
  'setup',
  'slack-control',
  'chaos',
  'ends',
  'demo',
  'slack-tasks',
  'slack-ways',
  'slots',
  'secrets',
];

/** Loads the Worker's modules a second time, which ends the Durable Objects of other files. */
const last = /\/test\/workerd\/unconfigured\.test\.ts$/;

export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      if (last.test(moduleId)) return Infinity;
      const name = /\/test\/flows\/([\w-]+)\.test\.ts$/.exec(moduleId)?.[1];
      if (name === undefined) return longest.length + 1;
      return longest.includes(name) ? longest.indexOf(name) : longest.length;
    };
    const sorted = await super.sort(files);
    return sorted.toSorted((left, right) => rank(left) - rank(right));
  }
}
