import { expect, it } from 'vitest';
import * as fc from 'fast-check';
import { pathProblem } from '../src/publish/gate/safe-path.ts';
import { treeInspector } from './working-tree.ts';

/** What some file system reads as `.git`, as a separator or not at all. */
const odd = ['.', 'g', 'i', 't', 'I', '~', '1', ' ', ':', '/', '\\', '\t', '\n', '\u007f', '\u0085'];
const disguised = [
  '．',
  'ｇ',
  'ⅰ',
  'İ',
  'ı',
  '\u200c',
  '\u00ad',
  '\ufe0f',
  '\u202e',
  '\u3164',

  'K',
];

it('skips exactly the names that would cost the whole change', async () => {
  const inspect = treeInspector('/nonexistent', 1);
  const name = fc.array(
    fc.oneof(fc.constantFrom(...odd, ...disguised), fc.constantFrom('.git', 'git~1', 'a', 'C:')),
    {
      minLength: 1,
      maxLength: 6,
    },
  );
  await fc.assert(
    fc.asyncProperty(name, async (parts) => {
      const path = parts.join('');
      // Git has no such path, and a slash at the end is a folder's.
      fc.pre(!/^\/|\/$|\/\/|(?:^|\/)\.{1,2}(?:\/|$)/.test(path));
      const finding = await inspect(Buffer.from(path, 'utf8').toString('latin1'));
      expect([path, finding.kind === 'skip']).toEqual([path, pathProblem(path) !== null]);
    }),
    { numRuns: 1000, seed: 12 },
  );
});
