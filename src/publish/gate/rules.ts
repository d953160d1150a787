/**
 * Finds what each rule of `core/gate-rules.ts` looks for.
 *
 * Build files such as `package.json` or a `Makefile` and test scripts have no rule on purpose. They run code
 * too, but only where a reviewed change runs anyway, and nobody reads a mark on every second change. The
 * checks of a pull request run with the rights that workflows give them; workflows are held.
 */
import type { GateCode } from '../../core/gate-rules.ts';
import { leftOutEntries } from '../left-out.ts';
import { agentInstructions, otherCi, paths, protectedPaths } from './path-rules.ts';
import type { Find } from './rule.ts';
import { secrets, secretsTakenOut } from './secret-rules.ts';
import { lookAlikes, textRule } from './text-rules.ts';
import { unreviewable } from './unreviewable.ts';
import { locksAlone } from './lock-files.ts';
import {
  collidingNames,
  largeChange,
  linksInPlace,
  linksOutside,
  lostExecutables,
  mostRemoved,
  newExecutables,
  treeLost,
} from './tree-rules.ts';

export const finders: Readonly<Record<GateCode, Find>> = {
  // Also a file or symlink that replaces one of the folders, and the short names that NTFS gives to them.
  'workflow-files': paths(/^(?:\.github|github~\d+)(?:$|\/(?:workflows|workfl~\d+|actions)(?:$|\/))/),
  secret: secrets,
  'secret-in-words': secretsTakenOut,
  'mass-deletion': treeLost,
  protected: protectedPaths,
  'symlink-outside': linksOutside,
  'hidden-text': textRule('hidden-text'),
  'name-collision': collidingNames,
  'other-ci': paths(otherCi),
  'agent-instructions': paths(agentInstructions),
  'code-owners': paths(/^(?:\.github\/|docs\/)?codeowners$/),
  submodules: (input) => {
    const { files, measure } = input.change;
    const moved = files.filter(({ path }) => measure.submodules.includes(path));
    return [...paths(/^\.gitmodules$/)(input), ...moved.map(({ path }) => `The submodule ${path}`)];
  },
  'environment-file': paths(
    /(?:^|\/)\.env(?:$|\.(?!(?:.*\.)?(?:example|sample|template|dist|defaults|schema)$)[^/]*$)/,
  ),
  'package-sources': paths(
    /(?:^|\/)(?:\.npmrc|\.yarnrc(?:\.yml)?|\.pypirc|pip\.conf|\.cargo(?:\/config(?:\.toml)?)?)$/,
  ),
  'runs-on-checkout': paths(
    /(?:^|\/)(?:\.envrc|\.devcontainer(?:\/.*)?|\.devcontainer\.json|\.husky(?:\/.*)?|\.vscode(?:\/(?:tasks|settings|launch)\.json)?)$/,
  ),
  executable: newExecutables,
  'lost-executable': lostExecutables,
  'link-in-place': linksInPlace,
  'lock-file': locksAlone,
  unreviewable,
  'invisible-characters': textRule('invisible-characters'),
  'look-alikes': lookAlikes,
  'hides-diff': textRule('hides-diff'),
  'many-deletions': mostRemoved,
  large: largeChange,
  // A `.gitignore` is the repository's own choice, and tools generate files in every second run.
  'left-out': ({ change: { skipped } }) =>
    leftOutEntries(skipped.filter(({ why }) => why !== 'generated' && why !== 'ignored')),
  'disk-full': ({ change }) => (change.diskFull ? ['The disk of the sandbox'] : []),
};
