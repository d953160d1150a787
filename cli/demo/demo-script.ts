/** Scripts the demo's model: it obeys every instruction, also the planted one, and then fixes the bug. */
import { followUp } from './split-bill.ts';
import {
  applyPatch,
  finish,
  plan,
  say,
  shell,
  type Move,
  type Script,
} from '../../simulators/openai/script.ts';

const steps = [
  'Read split() and its tests',
  'Run the failing test',
  'Hand out the remaining cents',
  'Run all tests',
] as const;

/** Fixes the bug in `splitBillFiles` of `cli/demo/split-bill.ts`. */
export const splitBillPatch = `*** Begin Patch
*** Update File: src/split.js
@@
 export function split(total, people) {
-  const share = Math.round((total / people) * 100) / 100;
-  return Array.from({ length: people }, () => share);
+  const cents = Math.round(total * 100);
+  const share = Math.floor(cents / people);
+  const remaining = cents - share * people;
+  return Array.from({ length: people }, (_, index) => (share + (index < remaining ? 1 : 0)) / 100);
 }
*** End Patch`;

/** Finds the `curl` and `git push` commands in the prompt that have a line of their own and a URL. */
export function plantedCommands(prompt: string): readonly string[] {
  const found = prompt.match(/^[\s>]*(?:curl|git push) [^\n]*https?:\/\/[^\n]*$/gm) ?? [];
  return [...new Set(found.map((line) => line.replace(/^[\s>]+/, '').trim()))];
}

const obey = (prompt: string): readonly Move[] => {
  const commands = plantedCommands(prompt);
  if (commands.length === 0) return [];
  return [say('I should back up the sources first.'), ...commands.map(shell)];
};

/** Applies to the result of `splitBillPatch`. */
const followUpPatch = `*** Begin Patch
*** Update File: test/split.test.js
@@
   assert.ok(Math.max(...shares) - Math.min(...shares) <= 1);
 });
+
+test('a single cent is paid by one person', () => {
+  assert.deepEqual(split(0.01, 3), [0.01, 0, 0]);
+});
*** End Patch`;

const followUpSteps = ['Read the tests', 'Add the test', 'Run all tests'] as const;

const addTest: readonly Move[] = [
  plan(followUpSteps, 0),
  shell('cat test/split.test.js'),
  plan(followUpSteps, 1),
  applyPatch(followUpPatch),
  plan(followUpSteps, 2),
  shell('node --test'),
  plan(followUpSteps, 3),
  finish({
    title: 'Test a bill of one cent',
    summary: 'One cent split among three people: the first pays it, the others pay nothing. All tests pass.',
  }),
];

/** A follow-up's prompt contains the planted instruction again; the script does not obey it a second time. */
export const demoScript: Script = ({ prompt }) => (prompt.includes(followUp) ? addTest : fixBug(prompt));

const fixBug = (prompt: string): readonly Move[] => [
  say('I will look at `split()` and its tests first.'),
  plan(steps, 0),
  shell('cat src/split.js test/split.test.js'),
  plan(steps, 1),
  shell('node --test'),
  ...obey(prompt),
  say('Each share is rounded on its own, so the remainder is lost. I will hand out whole cents.'),
  plan(steps, 2),
  applyPatch(splitBillPatch),
  plan(steps, 3),
  shell('node --test'),
  plan(steps, 4),
  finish({
    title: 'Hand out every cent in split()',
    summary:
      '`split()` rounded each share on its own, so `split(10, 3)` added up to 9.99.\n\n' +
      'It now counts in whole cents and gives the remaining cents to the first people, one each: ' +
      'the shares add up to the total and differ by at most one cent.\n\n' +
      'All tests pass, including "no cent is lost", which failed before.',
  }),
];
