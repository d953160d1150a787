/**
 * Judges a change before publication: allows it, marks it (a draft with remarks) or holds it for a person,
 * who can approve most held changes. Pure. Runs outside the sandbox and reads the files themselves, not the
 * diff, which is only for people.
 *
 * Build files such as `package.json` or a `Makefile`, test scripts and lock files are not in the table on
 * purpose. They run code too, but only where a reviewed change runs anyway, and nobody reads a mark on every
 * second change. The checks of a pull request run with the rights that workflows give them; workflows are
 * held below.
 */
import type { ChangedFile, ChangeSet, MeasuredChange } from '../core/change-set.ts';
import type { GateVerdict } from '../core/ports/publication.ts';
import { utf8Of } from '../lib/utf8.ts';
import { decodeBase64 } from './base64.ts';
import { plainPath, segmentProblem } from './safe-path.ts';
import { leftOutEntries } from './left-out.ts';
import { findSecret, withoutSecret } from './secrets.ts';
import { headOf } from '../lib/cut-text.ts';

type Finding = string;
interface Rule {
  /** Stable. The `Reason.code` of a hold. */
  readonly code: string;
  /** `hold-always`: not approvable, because GitHub accepts this change only from a person. */
  readonly effect: 'hold' | 'hold-always' | 'mark';
  /** Why the rule exists. Shown to the person after the findings. */
  readonly why: string;
  readonly find: (change: MeasuredChange) => readonly Finding[];
}

/** A change with more files is marked. */
const manyFiles = 200;
/** A change with more inserted and deleted lines is marked. */
const manyLines = 5000;

/** Definitions of CI systems other than GitHub Actions, or symlinks in their place. Lower case. */
const otherCi = new RegExp(
  `^(?:${[
    String.raw`\.(?:circleci|buildkite|woodpecker|semaphore|teamcity|tekton|harness|builds|azure-pipelines)(?:/.*)?`,
    String.raw`\.(?:gitea|forgejo)(?:/(?:workflows|actions)(?:/.*)?)?`,
    String.raw`\.gitlab(?:/ci(?:/.*)?)?`,
    String.raw`(?:.*/)?(?:[^/]*\.)?jenkinsfile(?:[.-][^/]*)?`,
    String.raw`(?:.*/)?(?:[^/]*\.gitlab-ci|azure-pipelines[^/]*|buildspec|cloudbuild)\.ya?ml`,
    String.raw`\.?(?:appveyor|bitbucket-pipelines|codefresh|wercker)\.ya?ml`,
    String.raw`\.(?:travis|cirrus|build|woodpecker)\.ya?ml`,
    String.raw`\.(?:cirrus\.star|drone\.(?:ya?ml|jsonnet|star))`,
  ].join('|')})$`,
  's',
);

/** What coding agents read as instructions, tools or permissions, or symlinks in its place. Lower case. */
const agentInstructions = new RegExp(
  `^(?:${[
    String.raw`(?:.*/)?(?:agents?|claude|gemini|qwen|crush|warp|codex|copilot|replit|jules|airules)(?:\.(?:override|local))?\.md`,
    String.raw`(?:.*/)?(?:copilot-instructions|skill|[^/]*\.(?:instructions|prompt|chatmode|agent))\.md`,
    String.raw`(?:.*/)?[^/]*\.mdc`,
    String.raw`(?:.*/)?\.?mcp(?:[._-][^/]*)?\.json`,
    String.raw`(?:.*/)?\.(?:cursor|windsurf|cline|continue|aider|goose|kilocode|augment)[^/]*(?:/.*)?`,
    String.raw`(?:.*/)?\.(?:agents?|codex|claude(?:-plugin)?|gemini|qwen|copilot|ai|aiassistant|junie|kiro|amazonq|opencode|openhands|devin|factory|trae|roo(?:rules[^/]*|modes|ignore)?|crush|codeium|tabnine|zencoder|rovodev|void|firebender|airules|rules|skills|prompts)(?:/.*)?`,
    String.raw`(?:.*/)?\.?(?:opencode|crush|firebender|goose|amp)\.jsonc?`,
    String.raw`(?:.*/)?(?:\.openhands_instructions|\.mentatconfig\.json|\.coderabbit\.ya?ml|\.sweep\.ya?ml|\.pr_agent\.toml)`,
    String.raw`(?:.*/)?\.github/(?:instructions|prompts|chatmodes|agents|skills|copilot)(?:/.*)?`,
    String.raw`(?:.*/)?\.idx/airules\.md`,
  ].join('|')})$`,
  's',
);

const rules: readonly Rule[] = [
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
    find: (change) => [...change.files.flatMap(secretIn), ...secretInNames(change)],
  },
  {
    code: 'symlink-outside',
    effect: 'hold',
    why: 'Everyone who checks out a link that leads out of the repository may read or write other files of their machine. Ask for a change without it.',
    find: (change) => change.files.flatMap(linkOutside),
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
    find: ({ files, measure }) => {
      const before = new Map(measure.modesBefore);
      const now = files.filter((file) => file.type === 'file' && file.mode === '100755');
      return now.map(({ path }) => path).filter((path) => before.get(path) !== '100755');
    },
  },
  {
    code: 'large',
    effect: 'mark',
    why: 'is large for one review',
    find: ({ files, measure }) => {
      const lines = measure.insertions + measure.deletions;
      if (files.length <= manyFiles && lines <= manyLines) return [];
      return [`A change of ${files.length} files and ${lines} lines`];
    },
  },
  {
    code: 'left-out',
    effect: 'mark',
    why: 'changed too, but was left out',
    // A `.gitignore` is the repository's own choice, and tools generate files in every second run.
    find: ({ skipped }) =>
      leftOutEntries(skipped.filter(({ why }) => why !== 'generated' && why !== 'ignored')),
  },
  {
    code: 'disk-full',
    effect: 'mark',
    why: 'was full when Codex ended, so files may be cut off or missing',
    find: ({ diskFull }) => (diskFull ? ['The disk of the sandbox'] : []),
  },
];

interface Hit {
  readonly rule: Rule;
  readonly findings: readonly Finding[];
}

/** `approvedBy`: who approved exactly this change; an approved hold becomes a mark that names them. */
export function gate(whole: MeasuredChange, approvedBy: string | null): GateVerdict {
  const known = new Set(whole.measure.merge?.asInParent);
  const change = { ...whole, files: whole.files.filter(({ path }) => !known.has(path)) };
  const hits: readonly Hit[] = rules
    .map((rule) => ({ rule, findings: rule.find(change) }))
    .filter(({ findings }) => findings.length > 0);
  const holds = hits.filter(({ rule }) => rule.effect !== 'mark');
  const approvable = holds.every(({ rule }) => rule.effect === 'hold');
  const [first] = holds;
  if (first !== undefined && !(approvable && approvedBy !== null)) {
    const message = holds.map(({ rule, findings }) => `Held: ${listed(findings)}. ${rule.why}`).join(' ');
    return { kind: 'hold', reason: { code: first.rule.code, message }, approvable };
  }
  if (hits.length === 0) return { kind: 'allow' };
  return { kind: 'mark', remarks: hits.map((hit) => remark(hit, approvedBy)) };
}

/** Names the approver first, because a renderer may cut the end. Untrusted. */
function remark({ rule, findings }: Hit, approvedBy: string | null): string {
  return rule.effect === 'mark'
    ? `${listed(findings)} ${rule.why}.`
    : `${headOf(approvedBy ?? '', 100)} approved what was held here: ${listed(findings)}. ${rule.why}`;
}

/** `pattern` is in lower case, because it sees the plain spellings of a path. */
function paths(pattern: RegExp): Rule['find'] {
  return ({ files, links }) => {
    const linked = spellings(links, pattern);
    return files.map(({ path }) => path).filter((path) => linked(plainPath(path)));
  };
}

/** Lists at most five names. They are untrusted and escaped when they are rendered. Shows no secret. */
function listed(findings: readonly Finding[]): string {
  const shown = findings.slice(0, 5).map((finding) => headOf(withoutSecret(finding), 300));
  const more = findings.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

/** Deleted files are on the base branch already; names left out are shown in the pull request. */
function secretInNames({ files, skipped }: ChangeSet): readonly Finding[] {
  return [...files.filter(({ type }) => type === 'file'), ...skipped].flatMap(({ path }) => {
    const found = findSecret(path);
    return found === null ? [] : [`${found.kind} in the name of a file`];
  });
}

/** The whole file, because the gate does not see its earlier content: the safe side. */
function secretIn(file: ChangedFile): readonly Finding[] {
  if (file.type !== 'file') return [];
  // One character per byte: the patterns are ASCII, and a key in a binary file counts too.
  const found = findSecret(atob(file.content));
  return found === null ? [] : [`${found.kind} in ${file.path}, line ${found.line}`];
}

function linkOutside(file: ChangedFile): readonly Finding[] {
  if (file.type !== 'file' || file.mode !== '120000') return [];
  const target = utf8Of(decodeBase64(file.content));
  const depth = file.path.split('/').length - 1;
  return target !== null && staysInside(target, depth) ? [] : [`the symlink ${file.path}`];
}

/** Goes up only at the beginning, not above the root (`a` in `a/../..` can be a symlink), never to `.git`. */
function staysInside(target: string, depth: number): boolean {
  // A NUL cuts the target short where it is used.
  if (target === '' || target.startsWith('/') || /[\\\p{Cc}]|^[A-Za-z]:/u.test(target)) return false;
  const segments = target.split('/');
  const climbs = segments.findIndex((segment) => segment !== '..' && !stays(segment));
  const leading = climbs < 0 ? segments : segments.slice(0, climbs);
  const rest = climbs < 0 ? [] : segments.slice(climbs);
  if (leading.filter((segment) => segment === '..').length > depth) return false;
  return rest.every((segment) => stays(segment) || segmentProblem(segment) === null);
}

/** Matches a path also as symlinks of the base spell it: with `.claude` → `ai`, `ai/x` is `.claude/x`. */
function spellings(links: ChangeSet['links'], pattern: RegExp): (path: string) => boolean {
  const known = links.flatMap(({ path, target }) => {
    const to = resolved(path, target);
    return to === null ? [] : [{ name: plainPath(path), to: plainPath(to) }];
  });
  return (path) => {
    const names = new Set([path]);
    // A name that is added is visited too. Bounded, because links can form a circle.
    for (const name of names) {
      if (pattern.test(name)) return true;
      if (names.size > 50) continue;
      for (const link of known)
        if (link.to === '') names.add(`${link.name}/${name}`);
        else if (name === link.to || name.startsWith(`${link.to}/`))
          names.add(`${link.name}${name.slice(link.to.length)}`);
    }
    return false;
  };
}

/** Resolves a link's target against the root of the repository; null if it leads out of it. */
function resolved(path: string, target: string): string | null {
  if (target.startsWith('/')) return null;
  const at = path.split('/').slice(0, -1);
  for (const segment of target.split('/')) {
    if (segment === '..') {
      if (at.pop() === undefined) return null;
    } else if (!stays(segment)) at.push(segment);
  }
  return at.join('/');
}

const stays = (segment: string): boolean => segment === '' || segment === '.';
