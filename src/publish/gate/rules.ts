/**
 * The gate's rules.
 *
 * Build files such as `package.json` or a `Makefile`, test scripts and lock files are not in the table on
 * purpose. They run code too, but only where a reviewed change runs anyway, and nobody reads a mark on every
 * second change. The checks of a pull request run with the rights that workflows give them; workflows are
 * held below.
 */
import { leftOutEntries } from '../left-out.ts';
import { agentInstructions, otherCi, paths } from './path-rules.ts';
import type { Rule } from './rule.ts';
import { secrets } from './secret-rules.ts';
import { largeChange, linksOutside, newExecutables } from './tree-rules.ts';

export const rules: readonly Rule[] = [
  {
    code: 'workflow-files',
    effect: 'hold-always',
    why: 'Workflows run with the repository’s secrets before anybody has reviewed them, and the App deliberately has no permission to write them. A person has to make this change.',
    // Also a file or symlink that replaces one of the folders, and the short names that NTFS gives to them.
    find: paths(/^(?:\.github|github~\d+)(?:$|\/(?:workflows|workfl~\d+|actions)(?:$|\/))/),
  },
  {
    code: 'secret',
    effect: 'hold',
    why: 'A branch is readable as soon as it is pushed. Remove the secret from the files, or commit the change yourself if it is not one.',
    find: secrets,
  },
  {
    code: 'symlink-outside',
    effect: 'hold',
    why: 'Everyone who checks out a link that leads out of the repository may read or write other files of their machine. Ask for a change without it.',
    find: linksOutside,
  },
  {
    code: 'other-ci',
    effect: 'mark',
    why: 'defines what another CI system runs, maybe with its secrets, as soon as the branch is pushed',
    find: paths(otherCi),
  },
  {
    code: 'agent-instructions',
    effect: 'mark',
    why: 'tells coding agents what to do in later tasks',
    find: paths(agentInstructions),
  },
  {
    code: 'code-owners',
    effect: 'mark',
    why: 'decides who has to review',
    find: paths(/^(?:\.github\/|docs\/)?codeowners$/),
  },
  {
    code: 'submodules',
    effect: 'mark',
    why: 'decides which other repositories are fetched',
    find: paths(/^\.gitmodules$/),
  },
  {
    code: 'environment-file',
    effect: 'mark',
    why: 'is usually for settings and secrets of one machine',
    find: paths(/(?:^|\/)\.env(?:$|\.(?!(?:.*\.)?(?:example|sample|template|dist|defaults|schema)$)[^/]*$)/),
  },
  {
    code: 'package-sources',
    effect: 'mark',
    why: 'decides where dependencies are fetched from',
    find: paths(/(?:^|\/)(?:\.npmrc|\.yarnrc(?:\.yml)?|\.pypirc|pip\.conf|\.cargo(?:\/config(?:\.toml)?)?)$/),
  },
  {
    code: 'runs-on-checkout',
    effect: 'mark',
    why: 'may run on a reviewer’s machine as soon as the branch is opened there',
    find: paths(
      /(?:^|\/)(?:\.envrc|\.devcontainer(?:\/.*)?|\.devcontainer\.json|\.husky(?:\/.*)?|\.vscode(?:\/(?:tasks|settings|launch)\.json)?)$/,
    ),
  },
  {
    code: 'executable',
    effect: 'mark',
    why: 'is newly executable',
    find: newExecutables,
  },
  {
    code: 'large',
    effect: 'mark',
    why: 'is large for one review',
    find: largeChange,
  },
  {
    code: 'left-out',
    effect: 'mark',
    why: 'changed too, but was left out',
    // A `.gitignore` is the repository's own choice, and tools generate files in every second run.
    find: ({ change: { skipped } }) =>
      leftOutEntries(skipped.filter(({ why }) => why !== 'generated' && why !== 'ignored')),
  },
  {
    code: 'disk-full',
    effect: 'mark',
    why: 'was full when Codex ended, so files may be cut off or missing',
    find: ({ change }) => (change.diskFull ? ['The disk of the sandbox'] : []),
  },
];
