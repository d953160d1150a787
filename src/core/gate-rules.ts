/** What the gate looks for, and with which effect. `src/publish/gate/` finds it. */

type GateRule = {
  /** Stable. The `Reason.code` of a hold, and what the configuration names. */
  readonly code: string;
  /** Whether `gate.allow` may name it. `paths`: only with a glob that begins with a name. */
  readonly allow: 'never' | 'paths' | 'always';
  /** `paths`: it finds files. `change`: it judges the change as a whole, so that no glob narrows it. */
  readonly about: 'paths' | 'change';
  /** For people who configure it. */
  readonly finds: string;
  /** Shown after the findings: of a hold a sentence, of a mark the end of one, whose verb comes first. */
  readonly why: string;
} & (
  | { readonly effect: 'mark' }
  /** `hold-always`: not approvable, because GitHub accepts this change only from a person. */
  | { readonly effect: 'hold' | 'hold-always'; readonly remedy: string }
);

/** In the order in which a message lists them. */
export const gateRules = [
  {
    code: 'workflow-files',
    effect: 'hold-always',
    allow: 'never',
    about: 'paths',
    finds: 'workflows and actions of GitHub, in every spelling',
    why: 'Workflows run with the repository’s secrets before anybody has reviewed them, and the App deliberately has no permission to write them.',
    remedy: 'A person has to make this change.',
  },
  {
    code: 'secret',
    effect: 'hold',
    allow: 'paths',
    about: 'paths',
    finds: 'what has the form of a credential',
    why: 'A branch is readable as soon as it is pushed.',
    remedy: 'Ask for a change without it, or approve this one if it is no real secret.',
  },
  {
    code: 'secret-in-words',
    effect: 'mark',
    allow: 'never',
    about: 'change',
    finds: 'words of Codex from which a credential was taken out',
    why: 'was taken out of what Codex wrote: revoke what is real',
  },
  {
    code: 'mass-deletion',
    effect: 'hold',
    allow: 'never',
    about: 'change',
    finds: 'a change that leaves less than half of the files',
    why: 'An incomplete checkout looks like this.',
    remedy: 'Approve it if it is meant, or ask again.',
  },
  {
    code: 'protected',
    effect: 'hold',
    allow: 'never',
    about: 'paths',
    finds: 'paths that `gate.protected` names, also through a symlink',
    why: 'The configuration of this bot protects these paths.',
    remedy: 'Look at the change, then approve it, or ask for one without them.',
  },
  {
    code: 'symlink-outside',
    effect: 'hold',
    allow: 'paths',
    about: 'paths',
    finds: 'symlinks that lead out of the repository or into `.git`',
    why: 'Everyone who checks out a link that leads out of the repository may read or write other files of their machine.',
    remedy: 'Ask for a change without it.',
  },
  {
    code: 'hidden-text',
    effect: 'hold',
    allow: 'paths',
    about: 'paths',
    finds: 'new lines whose text is invisible, or displayed in another order than a program reads it',
    why: 'A reviewer cannot see what a compiler, a shell or an agent reads there.',
    remedy: 'Ask for a change that writes these characters as escapes.',
  },
  {
    code: 'name-collision',
    effect: 'hold',
    allow: 'paths',
    about: 'paths',
    finds: 'new names that differ from another one only in case or Unicode form',
    why: 'macOS and Windows take both for the same file, so a checkout there loses one of them.',
    remedy: 'Ask for another name.',
  },
  {
    code: 'other-ci',
    effect: 'mark',
    allow: 'always',
    about: 'paths',
    finds: 'definitions of other CI systems',
    why: 'defines what another CI system runs, maybe with its secrets, as soon as the branch is pushed',
  },
  {
    code: 'agent-instructions',
    effect: 'mark',
    allow: 'always',
    about: 'paths',
    finds: 'instructions, tools and permissions of coding agents',
    why: 'tells coding agents what to do in later tasks',
  },
  {
    code: 'code-owners',
    effect: 'mark',
    allow: 'always',
    about: 'paths',
    finds: '`CODEOWNERS`',
    why: 'decides who has to review',
  },
  {
    code: 'submodules',
    effect: 'mark',
    allow: 'always',
    about: 'paths',
    finds: '`.gitmodules`, and files in place of a submodule',
    why: 'decides which other repositories are fetched',
  },
  {
    code: 'environment-file',
    effect: 'mark',
    allow: 'always',
    about: 'paths',
    finds: '`.env` and its kind, except examples',
    why: 'is usually for settings and secrets of one machine',
  },
  {
    code: 'package-sources',
    effect: 'mark',
    allow: 'always',
    about: 'paths',
    finds: 'settings of package managers that name registries',
    why: 'decides where dependencies are fetched from',
  },
  {
    code: 'runs-on-checkout',
    effect: 'mark',
    allow: 'always',
    about: 'paths',
    finds: 'what editors, shells and hooks run on a machine with a checkout',
    why: 'may run on a reviewer’s machine as soon as the branch is opened there',
  },
  {
    code: 'executable',
    effect: 'mark',
    allow: 'always',
    about: 'paths',
    finds: 'files that become executable',
    why: 'is newly executable',
  },
  {
    code: 'lost-executable',
    effect: 'mark',
    allow: 'always',
    about: 'paths',
    finds: 'files that are no longer executable',
    why: 'is no longer executable',
  },
  {
    code: 'link-in-place',
    effect: 'mark',
    allow: 'always',
    about: 'paths',
    finds: 'symlinks in place of a file or a folder',
    why: 'was replaced by a symlink',
  },
  {
    code: 'lock-file',
    effect: 'mark',
    allow: 'always',
    about: 'paths',
    finds: 'lock files that change without their manifest',
    why: 'changes which versions are installed, although no manifest changed',
  },
  {
    code: 'unreviewable',
    effect: 'mark',
    allow: 'always',
    about: 'paths',
    finds: 'minified, bundled and compiled code',
    why: 'is minified, bundled or compiled, which nobody can review',
  },
  {
    code: 'invisible-characters',
    effect: 'mark',
    allow: 'always',
    about: 'paths',
    finds: 'single invisible characters in new lines of code',
    why: 'is invisible, but not to a program',
  },
  {
    code: 'look-alikes',
    effect: 'mark',
    allow: 'always',
    about: 'paths',
    finds: 'new names with letters of other scripts that look like Latin ones',
    why: 'looks like other characters',
  },
  {
    code: 'hides-diff',
    effect: 'mark',
    allow: 'always',
    about: 'paths',
    finds: 'new lines of `.gitattributes` that fold a diff or call a file binary',
    why: 'decides what a diff shows',
  },
  {
    code: 'many-deletions',
    effect: 'mark',
    allow: 'always',
    about: 'change',
    finds: 'a change that removes more than half of the files and is not held',
    why: 'and looks like an incomplete checkout',
  },
  {
    code: 'large',
    effect: 'mark',
    allow: 'always',
    about: 'change',
    finds: 'more than 200 files or 5,000 lines',
    why: 'is large for one review',
  },
  {
    code: 'left-out',
    effect: 'mark',
    allow: 'always',
    about: 'paths',
    finds: 'changed files that could not be collected',
    why: 'was changed but left out',
  },
  {
    code: 'disk-full',
    effect: 'mark',
    allow: 'never',
    about: 'change',
    finds: 'a sandbox whose disk was full at the end',
    why: 'was full when Codex ended, so files may be cut off or missing',
  },
] as const satisfies readonly GateRule[];

export type GateCode = (typeof gateRules)[number]['code'];
export const gateCodes: readonly GateCode[] = gateRules.map(({ code }) => code);
