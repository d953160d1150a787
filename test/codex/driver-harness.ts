/** Runs the real Codex under the real driver in temporary folders, named as in the sandbox. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  appendFileSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Notable, Progress } from '../../src/core/progress.ts';
import type { RemarkReport } from '../../src/core/remark.ts';
import { answerJsonSchema } from '../../src/codex/answer.ts';
import { codexConfig, toToml } from '../../src/codex/config-toml.ts';
import { fold, initialProgress } from '../../src/codex/progress.ts';
import { programFile } from '../container/sandbox-scripts.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The placeholder key that the driver gives Codex. The simulator accepts it without a gateway. */
export const placeholderKey = 'placeholder-replaced-by-the-gateway';

/** Returns the native binary for this platform; throws if the package is not installed. */
export function codexBinary(): string {
  const found = globSync('node_modules/@openai/codex-*/vendor/*/bin/codex', { cwd: root })[0];
  if (found === undefined) throw new Error('the platform package of @openai/codex is not installed');
  return join(root, found);
}

export interface DriverRun {
  readonly repository: string;
  readonly codexHome: string;
  readonly child: ChildProcess;
  /** The event file so far, with the clone named as in the sandbox. */
  lines(): readonly string[];
  stderr(): string;
  /** Resolves once a line contains the text; rejects after 20 s. */
  seen(text: string): Promise<void>;
  control(command: unknown): void;
  readonly exitCode: Promise<number | null>;
}

export interface RunOptions {
  readonly baseUrl: string;
  readonly prompt?: string;
  /** Names of files in the repository. */
  readonly images?: readonly string[];
  readonly model?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly binary?: string;
  readonly resume?: { readonly threadId: string; readonly codexVersion: string; readonly prompt: string };
  /** Called with the new Codex home before the driver starts. */
  readonly prepare?: (codexHome: string) => void;
  readonly env?: Readonly<Record<string, string>>;
}

const folders: string[] = [];
const children: ChildProcess[] = [];

/** Ends the processes that tests left behind. */
export function cleanUp(): void {
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  folders.length = 0;
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'airlock-codex-'));
  folders.push(folder);
  return folder;
}

export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

export function runDriver(options: RunOptions): DriverRun {
  const folder = temporaryFolder();
  const [repository, codexHome, jobFolder] = ['repo', 'home/.codex', 'job'].map((name) => join(folder, name));
  if (repository === undefined || codexHome === undefined || jobFolder === undefined)
    throw new Error('no folders');
  for (const path of [repository, codexHome, jobFolder]) mkdirSync(path, { recursive: true });
  writeFiles(repository, options.files ?? { 'a.txt': 'one\n' });
  execFileSync('git', ['init', '-q'], { cwd: repository });
  const model = options.model ?? 'gpt-6.1-sol';
  writeFileSync(
    join(codexHome, 'config.toml'),
    toToml(codexConfig({ openaiBaseUrl: options.baseUrl, model, repository })),
  );
  const job = {
    prompt: options.prompt ?? 'Please do it.',
    images: (options.images ?? []).map((name) => join(repository, name)),
    cwd: repository,
    model,
    effort: 'low',
    outputSchema: answerJsonSchema,
    codexBinary: options.binary ?? codexBinary(),
    codexHome,
    ...(options.resume === undefined ? {} : { resume: options.resume }),
  };
  writeFileSync(join(jobFolder, 'job.json'), JSON.stringify(job));
  options.prepare?.(codexHome);

  const child = spawn(process.execPath, [programFile('codex-driver'), join(jobFolder, 'job.json')], {
    cwd: folder,
    env: {
      PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
      HOME: join(folder, 'home'),
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const exitCode = new Promise<number | null>((resolve) => child.once('close', resolve));
  const lines = () => output.replaceAll(repository, '/workspace/repo').trim().split('\n');
  return {
    repository,
    codexHome,
    child,
    lines,
    stderr: () => errors,
    async seen(text) {
      for (const deadline = Date.now() + 150_000; Date.now() < deadline; await delay(20)) {
        if (output.includes(text)) return;
      }
      throw new Error(`never seen: ${text}\n${output.slice(-2_000)}\n${errors}`);
    },
    control: (command) => appendFileSync(join(jobFolder, 'control.jsonl'), `${JSON.stringify(command)}\n`),
    exitCode,
  };
}

export function foldAll(lines: readonly string[]): {
  progress: Progress;
  notable: readonly (Notable | RemarkReport)[];
} {
  const notable: (Notable | RemarkReport)[] = [];
  let progress = initialProgress;
  for (const line of lines) {
    const folded = fold(progress, line, 0);
    progress = folded.progress;
    notable.push(...folded.notable);
  }
  return { progress, notable };
}

/** Whether some process on this machine runs with this text in its command line. Linux only. */
export function processRuns(text: string): boolean {
  return globSync('/proc/[0-9]*/cmdline').some((path) => {
    try {
      return readFileSync(path, 'utf8').includes(text);
    } catch {
      // The process ended between the two calls.
      return false;
    }
  });
}

/** Resolves once the condition holds; rejects after 150 s. */
export async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 150_000; Date.now() < deadline; await delay(20)) if (condition()) return;
  throw new Error('the condition did not come to hold');
}
