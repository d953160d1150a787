/**
 * Starts a host of its own with extra descriptors open, as the program that starts Airlock could have, and
 * looks for them inside a sandbox.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';

/** Bash redirections. */
const kinds = {
  folder: (at: number, folder: string) => `${at}<${folder}/${at}`,
  file: (at: number, folder: string) => `${at}<>${folder}/${at}/secret`,
  socket: (at: number) => `${at}<>/dev/udp/127.0.0.1/9`,
  pipe: (at: number) => `${at}< <(exec sleep 60 >/dev/null 2>&1)`,
} as const;

/**
 * Each kind at, or soon behind, each of three numbers. Node marks 3 to 16 close-on-exec by itself, and those
 * that follow without a gap.
 */
export const inheritedDescriptors = [16, 100, 251].flatMap((first) =>
  Object.entries(kinds).map(([kind, redirection], index) => ({ kind, at: first + 3 * index, redirection })),
);

export interface Inherited {
  /** What each of `inheritedDescriptors` is of, such as `socket:[4711]`: the same inside and outside. */
  readonly targets: readonly string[];
  /** Path and target of every descriptor of every process inside. */
  readonly inside: readonly string[];
}

export async function startWithDescriptors(): Promise<Inherited> {
  const folder = await mkdtemp(join(tmpdir(), 'airlock-inherited-'));
  try {
    await Promise.all(inheritedDescriptors.map(async ({ at }) => await mkdir(join(folder, String(at)))));
    const program = fileURLToPath(new URL('list-descriptors.ts', import.meta.url));
    const redirections = inheritedDescriptors.map(({ at, redirection }) => redirection(at, folder)).join(' ');
    const paths = inheritedDescriptors.map(({ at }) => `/proc/$$/fd/${at}`).join(' ');
    const script = `exec ${redirections}; readlink ${paths}; exec "$@"`;
    const { stdout } = await promisify(execFile)(
      '/bin/bash',
      ['-c', script, 'bash', process.execPath, '--disable-warning=ExperimentalWarning', program],
      { timeout: 120_000 },
    );
    const lines = stdout.split('\n');
    const { length } = inheritedDescriptors;
    return {
      targets: lines.slice(0, length),
      inside: z.array(z.string()).parse(JSON.parse(lines[length] ?? '')),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What is inside of the descriptor at this place of the list. Throws if it was not open outside. */
export function leakOf({ targets, inside }: Inherited, index: number): string {
  const target = targets[index] ?? '';
  if (!/^\/|^(?:socket|pipe):\[\d+\]$/.test(target)) throw new Error('the descriptor was not open outside');
  if (inside.length <= 3) throw new Error('no descriptor at all was found inside');
  return inside.find((line) => line.endsWith(` ${target}`)) ?? 'not there';
}
