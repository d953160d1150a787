/**
 * Judges a change before it is published: allow, mark (a draft with remarks) or hold for a person, who may approve most of
 * what is held. Pure, outside the sandbox, and on the files themselves, not on the diff, which is only for people.
 *
 * Not on the list, on purpose: build files such as `package.json` or a `Makefile`, test scripts and lock files. They run
 * code too, but only where a reviewed change runs anyway, and a mark on every second change is a mark that nobody reads.
 * A repository's checks for pull requests run with what its workflows give them; those are held below.
 */
import type { ChangedFile, ChangeSet } from '../core/change-set.ts';
import type { GateVerdict } from '../core/ports/publication.ts';
import { utf8Of } from '../lib/utf8.ts';
import { decodeBase64 } from './base64.ts';
import { findSecret } from './secrets.ts';
import { headOf } from '../lib/cut-text.ts';

type Finding = string;
interface Rule {
  /** Stable: `Reason.code` of a hold. */
  readonly code: string;
  /** `hold-always`: also against a person's approval, because GitHub takes it from nobody but a person. */
  readonly effect: 'hold' | 'hold-always' | 'mark';
  /** Why the rule is there, for the reader of this table and, after the findings, for the person. */
  readonly why: string;
  readonly find: (change: ChangeSet) => readonly Finding[];
}

/** Files beyond which a change is marked. */
const manyFiles = 200;
/** Inserted and deleted lines beyond which a change is marked. */
const manyLines = 5000;

const rules: readonly Rule[] = [
  {
    code: 'workflow-files',
    effect: 'hold-always',
    why: 'Workflows run with the repository’s secrets before anybody has reviewed them, and the App deliberately has no permission to write them. A person has to make this change.',
    find: paths(/^\.github\/(?:workflows|actions)\//i),
  },
  {
    code: 'secret',
    effect: 'hold',
    why: 'A branch is readable the moment it is pushed. Remove it from the files, or commit it yourself if it is none.',
    find: (change) => change.files.flatMap(secretIn),
  },
  {
    code: 'symlink-outside',
    effect: 'hold',
    why: 'A link out of the repository makes whoever checks it out read or write files of their own machine.',
    find: (change) => change.files.flatMap(linkOutside),
  },
  {
    code: 'agent-instructions',
    effect: 'mark',
    why: 'tells coding agents what to do in later tasks',
    find: paths(
      /(?:^|\/)(?:AGENTS(?:\.override)?\.md|CLAUDE\.md|GEMINI\.md|\.cursorrules|\.windsurfrules|\.mcp\.json)$|(?:^|\/)\.(?:codex|claude|cursor|agents)\/|^\.github\/(?:copilot-instructions\.md$|instructions\/)/i,
    ),
  },
  {
    code: 'code-owners',
    effect: 'mark',
    why: 'decides who has to review',
    find: paths(/^(?:\.github\/|docs\/)?CODEOWNERS$/i),
  },
  {
    code: 'submodules',
    effect: 'mark',
    why: 'decides which other repositories are fetched',
    find: paths(/^\.gitmodules$/i),
  },
  {
    code: 'package-sources',
    effect: 'mark',
    why: 'decides where dependencies are fetched from',
    find: paths(/(?:^|\/)(?:\.npmrc|\.yarnrc(?:\.yml)?|\.pypirc|pip\.conf|\.cargo\/config(?:\.toml)?)$/i),
  },
  {
    code: 'runs-on-checkout',
    effect: 'mark',
    why: 'may run on a reviewer’s machine as soon as the branch is opened there',
    find: paths(
      /(?:^|\/)(?:\.envrc|\.devcontainer\/.*|\.devcontainer\.json|\.husky\/.*|\.vscode\/(?:tasks|settings|launch)\.json)$/i,
    ),
  },
  {
    code: 'executable',
    effect: 'mark',
    why: 'is newly executable',
    find: (change) =>
      change.files.flatMap((file) =>
        file.type === 'file' && file.mode === '100755' && file.modeBefore !== '100755' ? [file.path] : [],
      ),
  },
  {
    code: 'large',
    effect: 'mark',
    why: 'is much for one review',
    find: (change) => {
      const lines = change.insertions + change.deletions;
      if (change.files.length <= manyFiles && lines <= manyLines) return [];
      return [`A change of ${change.files.length} files and ${lines} lines`];
    },
  },
  {
    code: 'left-out',
    effect: 'mark',
    why: 'changed too but could not be carried out of the sandbox',
    find: (change) => change.skipped.map((entry) => entry.path),
  },
];

interface Hit {
  readonly rule: Rule;
  readonly findings: readonly Finding[];
}

/**
 * `approvedBy`: who has approved exactly this change, which the caller has made sure of; null: nobody. What was held is
 * then marked, and the mark says who let it pass.
 */
export function gate(change: ChangeSet, approvedBy: string | null): GateVerdict {
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

/** Who approved stands first: whoever shows it may cut the end off. Names are untrusted, escaped there too. */
function remark({ rule, findings }: Hit, approvedBy: string | null): string {
  return rule.effect === 'mark'
    ? `${listed(findings)} ${rule.why}.`
    : `${headOf(approvedBy ?? '', 100)} has approved what was held here: ${listed(findings)}. ${rule.why}`;
}

function paths(pattern: RegExp): Rule['find'] {
  return (change) => change.files.filter((file) => pattern.test(file.path)).map((file) => file.path);
}

/** At most five names: untrusted text, escaped by whoever shows it. */
function listed(findings: readonly Finding[]): string {
  const shown = findings.slice(0, 5).map((finding) => headOf(finding, 200));
  const more = findings.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

/**
 * Looks through the whole file, since the gate does not see what was there before: editing a file that already
 * holds a key is held as well, which is the safe side.
 */
function secretIn(file: ChangedFile): readonly Finding[] {
  if (file.type !== 'file') return [];
  // One character a byte: the shapes are ASCII, and a key in a binary file counts too.
  const found = findSecret(atob(file.content));
  return found === null ? [] : [`${found.kind} in ${file.path}, line ${found.line}`];
}

function linkOutside(file: ChangedFile): readonly Finding[] {
  if (file.type !== 'file' || file.mode !== '120000') return [];
  const target = utf8Of(decodeBase64(file.content));
  const depth = file.path.split('/').length - 1;
  return target !== null && staysInside(target, depth) ? [] : [`the symlink ${file.path}`];
}

/**
 * Relative, and upwards only at its beginning and not above the root: `a/../..` may leave through `a` when that is a
 * symlink itself. A link into `.git` is as bad as one outside.
 */
function staysInside(target: string, depth: number): boolean {
  // eslint-disable-next-line no-control-regex -- a NUL cuts the target short where it is used
  if (target === '' || target.startsWith('/') || /[\\\u0000]|^[A-Za-z]:/.test(target)) return false;
  const segments = target.split('/');
  const climbs = segments.findIndex((segment) => segment !== '..' && segment !== '.' && segment !== '');
  const leading = climbs < 0 ? segments : segments.slice(0, climbs);
  const rest = climbs < 0 ? [] : segments.slice(climbs);
  if (leading.filter((segment) => segment === '..').length > depth) return false;
  return !rest.some((segment) => segment === '..' || segment.toLowerCase() === '.git');
}
