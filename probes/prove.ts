/**
 * Proves probes: takes one protection at a time away, in a copy of the programs, and runs its probes against
 * the copy. What leaks then is a file or a packet of this run.
 */
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { projectRoot } from '../host/project-root.ts';
import { parseJson } from '../src/lib/parse-json.ts';
import { patched, proofs, type Proof } from './proofs.ts';
import type { ProbedSandbox } from './probe.ts';
import { listProbes } from './suite.ts';

const folders = ['cli', 'container', 'host', 'probes', 'scripts', 'simulators', 'src', 'test'];
const report = z.object({
  results: z.array(z.object({ id: z.string(), got: z.string(), ok: z.boolean(), ran: z.boolean() })),
});
type Results = z.infer<typeof report>['results'];

export interface Proven {
  readonly id: string;
  readonly protection: string;
  /** What the probe got with the protection, and without it. */
  readonly with: string;
  readonly without: string;
  /** It passes with the protection, and leaks without it. */
  readonly ok: boolean;
}

/** Rejects if a run does not start or the signal aborts. Removes the copy in both cases. */
export async function prove(
  only: (id: string) => boolean,
  signal: AbortSignal,
  progress: (line: string) => void,
): Promise<readonly Proven[]> {
  const chosen = proofs
    .map((proof) => ({
      proof,
      ids: listProbes(proof.sandbox).flatMap(({ id }) => (proof.probes.test(id) && only(id) ? [id] : [])),
    }))
    .filter(({ ids }) => ids.length > 0);
  const copy = await mkdtemp(join(tmpdir(), 'airlock-proof-'));
  try {
    await copyPrograms(copy);
    progress('With every protection …');
    const before: Results = [];
    for (const [sandbox, those] of Map.groupBy(chosen, ({ proof }) => proof.sandbox ?? 'local')) {
      const ids = those.flatMap((one) => one.ids);
      before.push(...(await runProbes(copy, ids, sandbox, signal)));
    }
    const proven: Proven[] = [];
    for (const [at, { proof, ids }] of chosen.entries()) {
      progress(`${at + 1} of ${chosen.length}: without “${proof.protection}” …`);
      const after = await without(
        copy,
        proof,
        async () => await runProbes(copy, ids, proof.sandbox ?? 'local', signal),
      );
      proven.push(...ids.map((id) => compared(id, proof, before, after)));
    }
    return proven;
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

function compared(id: string, { protection }: Proof, before: Results, after: Results): Proven {
  const one = before.find((result) => result.id === id);
  const other = after.find((result) => result.id === id);
  const ok = one?.ok === true && other?.ran === true && !other.ok;
  return { id, protection, with: one?.got ?? 'nothing', without: other?.got ?? 'nothing', ok };
}

/** The probes' own temporary files are removed with the copy. Short, because paths of sockets are. */
const temporary = (copy: string): string => join(copy, 't');

async function copyPrograms(copy: string): Promise<void> {
  const settings = (await readdir(projectRoot)).filter((name) => /\.jsonc?$/.test(name));
  for (const name of [...folders, ...settings])
    await cp(join(projectRoot, name), join(copy, name), { recursive: true });
  await symlink(join(projectRoot, 'node_modules'), join(copy, 'node_modules'));
  await mkdir(temporary(copy));
}

async function without<T>(copy: string, { patches }: Proof, work: () => Promise<T>): Promise<T> {
  const originals = await Promise.all(
    patches.map(async ({ file }) => [join(copy, file), await readFile(join(copy, file))] as const),
  );
  for (const patch of patches) await writeFile(join(copy, patch.file), await patched(copy, patch));
  try {
    return await work();
  } finally {
    for (const [path, content] of originals) await writeFile(path, content);
  }
}

/** At an abort, waits until the program has cleaned up. */
async function runProbes(
  copy: string,
  ids: readonly string[],
  sandbox: ProbedSandbox,
  signal: AbortSignal,
): Promise<Results> {
  signal.throwIfAborted();
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      join(copy, 'probes/probe-command.ts'),
      '--json',
      '--sandbox',
      sandbox,
      ...ids.flatMap((id) => ['--probe', id]),
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TMPDIR: temporary(copy) },
      signal,
      killSignal: 'SIGINT',
    },
  );
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString('utf8')).slice(-1_000)));
  child.on('error', (error) => (errors += error.message));
  await new Promise((resolve) => child.once('close', resolve));
  signal.throwIfAborted();
  const parsed = report.safeParse(parseJson(output));
  if (parsed.success) return parsed.data.results;
  const got = `could not try: ${errors.trim().split('\n').at(-1) ?? ''}`;
  return ids.map((id) => ({ id, got, ok: false, ran: false }));
}
