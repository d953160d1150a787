/**
 * Rulesets and classic branch protection: judges what the App does to a branch, in GitHub's words. From bug
 * reports (renovatebot/renovate#44819, satisfactory-factories/application#67, actions/github-script#455)
 * except those of patterns and of files' sizes, extensions and path lengths, which are formed likewise.
 */
import { ApiError, unprocessable } from './api-errors.ts';
import { verificationOf } from './commit-signatures.ts';
import type { NewRuleset, PatternParameters, Rule } from './contract.ts';
import type { CommitObject, GitRepository } from './git-repository.ts';

export interface Ruleset extends Required<Omit<NewRuleset, 'owner' | 'name'>> {
  readonly id: number;
  readonly title: string;
  readonly createdAt: string;
}

export interface RuledRepository {
  readonly defaultBranch: string;
  readonly rulesets: readonly Ruleset[];
  readonly git: GitRepository;
}

/** `from` null creates the ref, `to` null deletes it. */
export interface RefUpdate {
  readonly ref: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly force?: boolean;
}

const maxCommits = 1000;

export function rulesetFor(wanted: NewRuleset, id: number, createdAt: string): Ruleset {
  const { rules, include = ['~ALL'], exclude = [], bypass = 'never', enforcement = 'active' } = wanted;
  const title = `ruleset ${id}`;
  return {
    id,
    title,
    rules,
    include,
    exclude,
    bypass,
    enforcement,
    classic: wanted.classic ?? false,
    createdAt,
  };
}

/** The rulesets that bind a branch of this name, bypassed ones included. */
export function activeRulesets(repository: RuledRepository, ref: string): readonly Ruleset[] {
  const matches = (pattern: string): boolean =>
    pattern === '~ALL' ||
    (pattern === '~DEFAULT_BRANCH'
      ? ref === `refs/heads/${repository.defaultBranch}`
      : fnmatch(pattern, ref));
  return repository.rulesets.filter(
    ({ enforcement, include, exclude }) =>
      enforcement === 'active' && include.some(matches) && !exclude.some(matches),
  );
}

/** Throws GitHub's refusal. `status`: 409 where the API merges, 422 elsewhere. */
export async function checkRefUpdate(
  repository: RuledRepository,
  update: RefUpdate,
  status: 409 | 422 = 422,
): Promise<void> {
  if (update.from === update.to) return;
  const binding = activeRulesets(repository, update.ref).filter(({ bypass }) => bypass !== 'always');
  if (binding.length === 0) return;
  const judged = new JudgedUpdate(repository, update);
  const found = await Promise.all(
    binding.flatMap(({ rules, classic }) =>
      rules.map(async (rule) => ({ classic, words: await violationOf(rule, judged) })),
    ),
  );
  const violations = found.filter(({ words }) => words !== null);
  if (violations.length === 0) return;
  if (violations.every(({ classic }) => classic))
    throw unprocessable(update.from === null ? 'Reference update failed' : 'Reference cannot be updated');
  const words = [...new Set(violations.map((one) => one.words))].join('\n\n');
  throw new ApiError(status, `Repository rule violations found\n\n${words}\n\n`);
}

/** The other check of push rulesets: when a blob is made, which has no path yet. */
export function checkBlob(repository: RuledRepository, bytes: number): void {
  const rules = repository.rulesets
    .filter(({ enforcement, bypass }) => enforcement === 'active' && bypass !== 'always')
    .flatMap((one) => one.rules);
  if (rules.some((rule) => rule.type === 'max_file_size' && bytes > megabytes(rule)))
    throw unprocessable('Repository rule violations found\n\nFile size exceeds the limit\n\n');
}

const megabytes = (rule: Extract<Rule, { type: 'max_file_size' }>): number =>
  rule.parameters.max_file_size * 1024 * 1024;

/** An update with what rules look at, read once. */
class JudgedUpdate {
  readonly branch: string;
  readonly isCreation: boolean;
  readonly isChange: boolean;
  readonly update: RefUpdate;
  private readonly repository: RuledRepository;
  private listed: Promise<readonly CommitObject[]> | null = null;
  private changed: Promise<readonly { path: string; bytes: number }[]> | null = null;

  constructor(repository: RuledRepository, update: RefUpdate) {
    this.repository = repository;
    this.update = update;
    this.branch = update.ref.replace(/^refs\/heads\//, '');
    this.isCreation = update.from === null;
    this.isChange = update.from !== null && update.to !== null;
  }

  /** Those that no branch has yet. */
  commits(): Promise<readonly CommitObject[]> {
    const { to } = this.update;
    this.listed ??= to === null ? Promise.resolve([]) : this.repository.git.newCommits(to, maxCommits);
    return this.listed;
  }

  files(): Promise<readonly { path: string; bytes: number }[]> {
    this.changed ??= this.readFiles();
    return this.changed;
  }

  private async readFiles(): Promise<readonly { path: string; bytes: number }[]> {
    const { git } = this.repository;
    const raw = (await this.commits()).map(({ sha, parents }) =>
      git.diff(parents[0] ?? null, sha, ['--raw', '-z', '--no-renames', '--abbrev=40']),
    );
    const fields = (await Promise.all(raw)).flatMap((out) => out.toString().split('\0'));
    const files = fields.flatMap((field, index) => {
      const id = /^:\S+ \S+ \S+ ([0-9a-f]{40}) [AM]$/.exec(field)?.[1];
      return id === undefined ? [] : [{ id, path: fields[index + 1] ?? '' }];
    });
    return await Promise.all(
      files.map(async ({ id, path }) => ({ path, bytes: (await git.describe(id))?.size ?? 0 })),
    );
  }
}

/** GitHub's words if the update violates the rule; null otherwise. */
async function violationOf(rule: Rule, of: JudgedUpdate): Promise<string | null> {
  const offending = async (is: (commit: CommitObject) => boolean, words: string): Promise<string | null> =>
    listed(
      words,
      (await of.commits()).filter(is).map(({ sha }) => sha),
    );
  const offendingFiles = async (
    is: (file: { path: string; bytes: number }) => boolean,
    words: string,
  ): Promise<string | null> =>
    listed(
      words,
      (await of.files()).filter(is).map(({ path }) => path),
    );
  switch (rule.type) {
    case 'creation':
      return of.isCreation ? 'Cannot create ref due to creations being restricted.' : null;
    case 'update':
      return of.isChange ? 'Cannot update this protected ref.' : null;
    case 'deletion':
      return of.update.to === null ? 'Cannot delete this branch' : null;
    case 'non_fast_forward':
      return of.update.force === true ? 'Cannot force-push to this branch' : null;
    case 'pull_request':
      return of.isChange ? 'Changes must be made through a pull request.' : null;
    case 'merge_queue':
      return of.isChange ? 'Changes must be made through the merge queue' : null;
    case 'required_linear_history':
      return await offending(
        ({ parents }) => parents.length > 1,
        'This branch must not contain merge commits.',
      );
    case 'required_signatures':
      return await offending(
        (commit) => !verificationOf(commit).verified,
        'Commits must have verified signatures.',
      );
    case 'required_status_checks': {
      const { required_status_checks: checks, do_not_enforce_on_create: lenient } = rule.parameters;
      if (of.isCreation && lenient === true) return null;
      return checks.length === 1
        ? `Required status check "${checks[0]?.context ?? ''}" is expected.`
        : `${checks.length} of ${checks.length} required status checks are expected.`;
    }
    case 'branch_name_pattern':
      return of.isCreation && !fits(rule.parameters, of.branch)
        ? `Branch name ${demand(rule.parameters)}`
        : null;
    case 'commit_message_pattern':
      return await offending(
        ({ message }) => !fits(rule.parameters, message),
        `Commit message ${demand(rule.parameters)}`,
      );
    case 'commit_author_email_pattern':
      return await offending(
        ({ author }) => !fits(rule.parameters, author.email),
        `Author email ${demand(rule.parameters)}`,
      );
    case 'committer_email_pattern':
      return await offending(
        ({ committer }) => !fits(rule.parameters, committer.email),
        `Committer email ${demand(rule.parameters)}`,
      );
    case 'file_path_restriction':
      return await offendingFiles(
        ({ path }) => rule.parameters.restricted_file_paths.some((pattern) => fnmatch(pattern, path)),
        'File path is restricted',
      );
    case 'file_extension_restriction':
      return await offendingFiles(
        ({ path }) => rule.parameters.restricted_file_extensions.some((end) => path.endsWith(end.slice(1))),
        'File extension is restricted',
      );
    case 'max_file_path_length':
      return await offendingFiles(
        ({ path }) => path.length > rule.parameters.max_file_path_length,
        'File path length exceeds the limit',
      );
    case 'max_file_size':
      return await offendingFiles(({ bytes }) => bytes > megabytes(rule), 'File size exceeds the limit');
  }
}

function listed(words: string, found: readonly string[]): string | null {
  if (found.length === 0) return null;
  return `${words}\n\nFound ${found.length} violation${found.length === 1 ? '' : 's'}:\n\n${found.join('\n')}`;
}

function fits({ operator, pattern, negate }: PatternParameters, text: string): boolean {
  const matches = {
    starts_with: () => text.startsWith(pattern),
    ends_with: () => text.endsWith(pattern),
    contains: () => text.includes(pattern),
    regex: () => new RegExp(pattern).test(text),
  }[operator]();
  return matches !== (negate ?? false);
}

function demand({ operator, pattern, negate }: PatternParameters): string {
  const verb = {
    starts_with: 'start with',
    ends_with: 'end with',
    contains: 'contain',
    regex: 'match a given regex pattern:',
  }[operator];
  return `must ${negate === true ? 'not ' : ''}${verb} ${pattern}`;
}

/** Ruby's `File.fnmatch` with `FNM_PATHNAME`: `*` stops at a slash, `**` followed by one does not. */
function fnmatch(pattern: string, text: string): boolean {
  const source = pattern
    .split(/(\*\*\/|\*|\?)/)
    .map((part) => {
      if (part === '**/') return '(?:.*/)?';
      if (part === '*') return '[^/]*';
      return part === '?' ? '[^/]' : part.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
    })
    .join('');
  return new RegExp(`^${source}$`).test(text);
}
