/**
 * Runs every change set of the corpus: one repository with a folder and a branch for each, one collection of
 * all folders by the real collector, and for each its own parsing, measure, verdict and publication. Plain
 * git makes the same changes in an ordinary clone.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, lutimesSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  changeLineSchema,
  type ChangedFile,
  type ChangeLine,
  type ChangeSet,
  type MeasuredChange,
} from '../../../src/core/change-set.ts';
import { closedPolicy } from '../../../src/core/policy.ts';
import type { GateVerdict, Publication } from '../../../src/core/ports/publication.ts';
import type { RepositoryFacts } from '../../../src/core/task.ts';
import { boundedAll } from '../../../src/lib/bounded-all.ts';
import { parseChangeLines } from '../../../src/publish/change-lines.ts';
import { createPublication } from '../../../src/publish/publisher.ts';
import { cloneInto, jobFor, runScript, type OnEnd } from '../../container/sandbox-scripts.ts';
import { factsOf, ownProcess, publishInput, simulatedGithub, taskRequest } from '../simulated-github.ts';
import { byteString, importStream, writeFiles, type ChangeRow, type Files } from './change-row.ts';

/** Path → `mode object stage`. Paths are byte strings. */
type Listing = ReadonlyMap<string, string>;
interface Named {
  readonly row: ChangeRow;
  /** Eight digits: the short id of the row's task, too. */
  readonly folder: string;
}
type EndLine = Extract<ChangeLine, { type: 'end' }>;

export interface Outcome {
  readonly verdict: string;
  readonly leftOut: readonly string[];
  /** Every file after the change, as the collector reports it and as git stages it. */
  readonly files: { readonly collected: readonly string[]; readonly staged: readonly string[] };
  /** Ids. `published` is null if nothing was published. */
  readonly tree: {
    readonly before: string;
    readonly staged: string;
    readonly published: string | null;
    /** What `git apply` makes of the patch that people get; null if it says that it is not whole. */
    readonly patched: string | null;
  };
  readonly result: string;
}

/** In every row, untouched. */
const kept: Files = { 'kept.txt': 'kept\n', 'kept/as it is.txt': 'one\r\ntwo\n' };
const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
/** Lower than ours, so that a file that is too large stays cheap. */
const maxFileBytes = 1_500_000;
const rowsAtOnce = 4;

export async function runCorpus(
  rows: readonly ChangeRow[],
  onEnd: OnEnd,
): Promise<ReadonlyMap<ChangeRow, Outcome>> {
  const scratch = mkdtempSync(join(tmpdir(), 'airlock-test-'));
  onEnd(() => rmSync(scratch, { recursive: true, force: true }));
  const simulator = await simulatedGithub(undefined, onEnd);
  const repository = await simulator.createRepository({ owner: 'acme', name: 'split', files: { a: 'a' } });
  const { gitDir } = repository;
  const named = rows.map((row, index) => ({ row, folder: String(index).padStart(8, '0') }));
  const heads = importBases(gitDir, named);
  const base = heads.get('all') ?? '';

  const workspace = await cloneInto(scratch, gitDir, base, 'all');
  makeChanges(workspace.directory, named);
  const run = await runScript('collect', jobFor(workspace, { maxFileBytes }));
  const lines = textLines(run.stdout).map((line) => changeLineSchema.parse(JSON.parse(line)));
  const end = lines.find((line) => line.type === 'end');
  if (end === undefined) throw new Error(`not collected: ${run.stdout.slice(-400)}${run.stderr}`);
  const before = listing(runGit(gitDir, ['ls-tree', '-r', '-z', base]));
  const leftOut = lines.flatMap((line) => (line.type === 'skipped' ? [line.path] : []));
  const { staged, trees } = stageWithGit(join(scratch, 'plain'), gitDir, named, before, leftOut);

  const treesBefore = treesIn(gitDir, base);

  const deps = ownProcess(simulator);
  const { tokens } = deps;
  // One token for all of them, because signing takes as long as publishing.
  const tokenFor: typeof tokens.tokenFor = async (scope) =>
    await tokens.tokenFor({ ...scope, taskId: 'corpus' });
  const publication = createPublication({ ...deps, tokens: { ...tokens, tokenFor } });
  const facts = factsOf(repository);
  const judged = await boundedAll(named, rowsAtOnce, async ({ row, folder }) => {
    const sha = heads.get(`base/${folder}`) ?? '';
    const parsed = parseChangeLines(linesBelow(folder, lines, end, sha), sha);
    if (parsed.ok) return await judgeAndPublish(publication, facts, { row, folder }, parsed.change);
    return { change: null, verdict: `refused: ${parsed.reason.message}`, result: '' };
  });

  const patches = judged.flatMap(({ change }, index): [string, string][] =>
    change?.measure.patch.complete === true ? [[named[index]?.folder ?? '', change.measure.patch.text]] : [],
  );
  const patched = applyPatches(join(scratch, 'plain', '.git'), base, patches);
  const refs = ['for-each-ref', '--format=%(refname) %(tree)', 'refs/heads/airlock/'];
  const published = new Map(
    textLines(runGit(gitDir, refs)).map((line): [string, string] => [line.slice(-49, -41), line.slice(-40)]),
  );
  return new Map(
    named.map(({ row, folder }, index): [ChangeRow, Outcome] => {
      const { change, verdict, result } = judged[index] ?? { change: null, verdict: '', result: '' };
      const collected = applied(below(before, folder), change?.files ?? []);
      return [
        row,
        {
          verdict,
          leftOut: (change?.skipped ?? [])
            .map(({ path, why, files = 1 }) => `${path} ${why}${files > 1 ? ` ${files}` : ''}`)
            .toSorted(),
          files: { collected: shown(collected), staged: shown(below(staged, folder)) },
          tree: {
            before: treesBefore.get(folder) ?? emptyTree,
            staged: trees.get(folder) ?? emptyTree,
            published: published.get(folder) ?? null,
            patched: patched.get(folder) ?? null,
          },
          result,
        },
      ];
    }),
  );
}

/** Commits the files before: all folders in one branch, and each as a repository in a branch of its own. */
function importBases(gitDir: string, named: readonly Named[]): ReadonlyMap<string, string> {
  const filesOf = ({ row }: Named): [string, Files[string]][] => Object.entries({ ...kept, ...row.before });
  const all = named.flatMap((one) =>
    filesOf(one).map(([path, entry]): [string, Files[string]] => [`${one.folder}/${path}`, entry]),
  );
  const branches = named.map((one): [string, Files] => [
    `base/${one.folder}`,
    Object.fromEntries(filesOf(one)),
  ]);
  const stream = importStream(new Map([['all', Object.fromEntries(all)], ...branches]));
  runGit(gitDir, ['fast-import', '--quiet'], stream);
  const refs = ['for-each-ref', '--format=%(objectname) %(refname:lstrip=2)', 'refs/heads/'];
  return new Map(textLines(runGit(gitDir, refs)).map((line) => [line.slice(41), line.slice(0, 40)]));
}

function makeChanges(directory: string, named: readonly Named[]): readonly Buffer[] {
  return named.flatMap(({ row, folder }) => writeFiles(join(directory, folder), row.edit));
}

/** The collector's lines for one folder, as if it were the repository. */
function linesBelow(folder: string, lines: readonly ChangeLine[], end: EndLine, base: string): string {
  const prefix = `${folder}/`;
  const own = lines.flatMap((line) =>
    'path' in line && line.path.startsWith(prefix) ? [{ ...line, path: line.path.slice(prefix.length) }] : [],
  );
  const links = end.links.flatMap(({ path, target }) =>
    path.startsWith(prefix) ? [{ path: path.slice(prefix.length), target }] : [],
  );
  return [...own, { ...end, base, links, entries: own.length }]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');
}

async function judgeAndPublish(
  publication: Publication,
  facts: RepositoryFacts,
  { row, folder }: Named,
  collected: ChangeSet,
): Promise<{ change: MeasuredChange; verdict: string; result: string }> {
  const request = taskRequest({ taskId: `gh-1-c${folder}`, shortId: folder });
  const measure = await publication.measure(facts, request.taskId, collected, null);
  const change = { ...collected, measure };
  const whole = publishInput(facts, collected, { request, change, baseBranch: `base/${folder}` });
  const judged = { change, words: whole.answer, policy: { ...closedPolicy.gate, ...row.gate } };
  const first = publication.gate(judged, null);
  const final = row.approved === true ? publication.gate(judged, 'mona') : first;
  if (final.kind === 'hold' || change.files.length === 0)
    return { change, verdict: verdictText(first), result: 'not published' };
  const remarks = final.kind === 'mark' ? final.remarks : [];
  const result = await publication.publish({ ...whole, remarks, draft: remarks.length > 0 });
  return {
    change,
    verdict: verdictText(first),
    result: result.kind === 'rejected' ? `rejected: ${result.reason.message}` : result.kind,
  };
}

function verdictText(verdict: GateVerdict): string {
  if (verdict.kind === 'allow') return 'allow';
  if (verdict.kind === 'mark') return `mark ${verdict.remarks.join(' ')}`;
  return `${verdict.approvable ? 'hold' : 'never'} ${verdict.reason.code}`;
}

/** Changes an ordinary clone in the same way and stages everything but what is left out. */
function stageWithGit(
  clone: string,
  gitDir: string,
  named: readonly Named[],
  before: Listing,
  leftOut: readonly string[],
): { readonly staged: Listing; readonly trees: ReadonlyMap<string, string> } {
  runGit(gitDir, ['clone', '--quiet', '--branch', 'all', gitDir, clone]);
  const own = join(clone, '.git');
  // Otherwise git reads all files again, which are as young as its index, and converts untouched ones.
  const later = Date.now() / 1000 + 60;
  utimesSync(join(own, 'index'), later, later);
  for (const path of makeChanges(clone, named)) lutimesSync(path, later, later);
  // Git ends at files that it cannot stage.
  for (const path of leftOut) rmSync(join(clone, path), { recursive: true, force: true });
  const at = ['-C', clone, '--work-tree', clone, '-c', 'core.protectNTFS=false'];
  runGit(own, [...at, 'add', '--all', '.']);
  const isLeftOut = (path: string): boolean => {
    const name = Buffer.from(path, 'latin1').toString();
    return leftOut.some((one) => name === one || (one.endsWith('/') && name.startsWith(one)));
  };
  const others = [...listing(runGit(own, ['ls-files', '--stage', '-z']))].filter(
    ([path]) => !isLeftOut(path),
  );
  const staged = new Map([...others, ...[...before].filter(([path]) => isLeftOut(path))]);
  const records = [...staged].map(([path, entry]) => `${entry}\t${path}\0`).join('');
  runGit(own, ['read-tree', '--empty']);
  runGit(own, [...at, 'update-index', '-z', '--index-info'], Buffer.from(records, 'latin1'));
  const tree = runGit(own, ['write-tree', '--missing-ok']).trim();
  return { staged, trees: treesIn(own, tree) };
}

/** Applies all patches at once, each in its row's folder. */
function applyPatches(
  gitDir: string,
  base: string,
  patches: readonly (readonly [folder: string, text: string])[],
): ReadonlyMap<string, string> {
  const text = patches.flatMap(([folder, patch]) => {
    const moved = (name: string): string => name.replace(/^"?[ab]\//, `$&${folder}/`);
    return patch.split('\n').map((line) => {
      if (!line.startsWith('diff --git ')) return line.replace(/(?<=^(?:---|\+\+\+) )"?[ab]\/.*/, moved);
      const half = (line.length - 12) / 2;
      return `diff --git ${moved(line.slice(11, 11 + half))} ${moved(line.slice(12 + half))}`;
    });
  });
  runGit(gitDir, ['read-tree', base]);
  runGit(gitDir, ['apply', '--cached', '--whitespace=nowarn'], `${text.join('\n')}\n`);
  const trees = treesIn(gitDir, runGit(gitDir, ['write-tree', '--missing-ok']).trim());
  return new Map(patches.map(([folder]) => [folder, trees.get(folder) ?? emptyTree]));
}

/** Of each row's folder. */
function treesIn(gitDir: string, tree: string): ReadonlyMap<string, string> {
  const lines = textLines(runGit(gitDir, ['ls-tree', tree]));
  return new Map(lines.map((line) => [line.slice(53), line.slice(12, 52)]));
}

/** Of `ls-tree -r -z` or `ls-files --stage -z`. */
function listing(output: string): Listing {
  const records = output.split('\0').filter((record) => record !== '');
  return new Map(
    records.map((record) => {
      const [mode = ''] = record.split(' ');
      const object = /[0-9a-f]{40}/.exec(record)?.[0] ?? '';
      return [record.slice(record.indexOf('\t') + 1), `${mode} ${object}`];
    }),
  );
}

function below(listed: Listing, folder: string): Listing {
  const own = [...listed].filter(([path]) => path.startsWith(`${folder}/`));
  return new Map(own.map(([path, entry]) => [path.slice(folder.length + 1), entry]));
}

function applied(before: Listing, files: readonly ChangedFile[]): Listing {
  const after = new Map(before);
  for (const file of files) if (file.type === 'deletion') after.delete(byteString(file.path));
  for (const file of files) {
    if (file.type === 'deletion') continue;
    const content = Buffer.from(file.content, 'base64');
    const object = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
    after.set(byteString(file.path), `${file.mode} ${object}`);
  }
  return after;
}

const shown = (listed: Listing): readonly string[] =>
  [...listed].map(([path, entry]) => `${entry} ${Buffer.from(path, 'latin1').toString()}`).toSorted();

/** Output as one character for each byte. */
function runGit(gitDir: string, argv: readonly string[], input: string | Buffer = ''): string {
  const env = { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  const options = { input, env, stdio: 'pipe', maxBuffer: 64 * 1024 * 1024 } as const;
  return execFileSync('git', ['--git-dir', gitDir, ...argv], options).toString('latin1');
}

const textLines = (output: string): readonly string[] => output.split('\n').filter((line) => line !== '');
