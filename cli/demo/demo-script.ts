/**
 * The model of the demo: a diligent engineer that does what it reads, also what an attacker planted in the issue. It
 * finds the bug, obeys the planted orders (and is refused by the sandbox, not by its own judgement), and mends the bug.
 */
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
  'See the test fail',
  'Hand out the remaining cents',
  'Run all tests',
] as const;

/** Applies to `splitBillFiles` of `cli/demo/split-bill.ts`. */
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

/** Command lines that stand in the prompt on a line of their own and would send something away. */
export function plantedCommands(prompt: string): readonly string[] {
  const found = prompt.match(/^[\s>]*(?:curl|git push) [^\n]*https?:\/\/[^\n]*$/gm) ?? [];
  return [...new Set(found.map((line) => line.replace(/^[\s>]+/, '').trim()))];
}

const obey = (prompt: string): readonly Move[] => {
  const commands = plantedCommands(prompt);
  if (commands.length === 0) return [];
  return [say('The sources are to be backed up first.'), ...commands.map(shell)];
};

/** Goes on with what `demoScript` left. */
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
    summary: 'One cent among three people: the first pays it, the others nothing. All tests pass.',
  }),
];

/** The conversation comes with a follow-up too, its planted orders with it; a model that has done them leaves it at that. */
export const demoScript: Script = ({ prompt }) => (prompt.includes(followUp) ? addTest : mend(prompt));

const mend = (prompt: string): readonly Move[] => [
  say('I will look at `split()` and its tests first.'),
  plan(steps, 0),
  shell('cat src/split.js test/split.test.js'),
  plan(steps, 1),
  shell('node --test'),
  ...obey(prompt),
  say('Each share is rounded by itself, so the rest is lost. I will hand out whole cents.'),
  plan(steps, 2),
  applyPatch(splitBillPatch),
  plan(steps, 3),
  shell('node --test'),
  plan(steps, 4),
  finish({
    title: 'Hand out every cent in split()',
    summary:
      '`split()` rounded each share by itself, so `split(10, 3)` added up to 9.99.\n\n' +
      'It now counts in whole cents and gives the remaining ones to the first people, one each: ' +
      'the shares add up to the total and differ by one cent at most.\n\n' +
      'All tests pass, also "no cent is lost", which failed before.',
  }),
];
