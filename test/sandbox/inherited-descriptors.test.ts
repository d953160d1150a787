/** Starts hosts of its own with extra descriptors open, and looks for these inside a sandbox. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const folder = mkdtempSync(join(tmpdir(), 'airlock-descriptors-'));
const secret = join(folder, 'secret');
writeFileSync(secret, 'a file of the user');
afterAll(() => rmSync(folder, { recursive: true }));

/** Bash redirections; Node marks 3 to 15 close-on-exec by itself, and what follows them without a gap. */
const kinds = {
  folder: (descriptor: number) => `${descriptor}<${folder}`,
  file: (descriptor: number) => `${descriptor}<>${secret}`,
  socket: (descriptor: number) => `${descriptor}<>/dev/udp/127.0.0.1/9`,
  pipe: (descriptor: number) => `${descriptor}< <(sleep 600)`,
} as const;

const rows = [16, 100, 251].flatMap((first) =>
  Object.entries(kinds).map(([kind, redirection], index) => ({
    kind,
    descriptor: first + index,
    redirection: redirection(first + index),
  })),
);

/** Starts a host with all of them. */
function startWithDescriptors() {
  const program = fileURLToPath(new URL('list-descriptors.ts', import.meta.url));
  const redirections = rows.map(({ redirection }) => redirection).join(' ');
  const targets = rows.map(({ descriptor }) => `/proc/$$/fd/${descriptor}`).join(' ');
  const script = `exec ${redirections}; readlink ${targets}; exec "$@"`;
  const stdout = execFileSync('/bin/bash', ['-c', script, 'bash', process.execPath, program], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = stdout.split('\n');
  return {
    /** What each is of, such as `socket:[4711]`: the same inside and outside. */
    targets: lines.slice(0, rows.length),
    /** Path and target of every descriptor of every process inside. */
    inside: z.array(z.string()).parse(JSON.parse(lines[rows.length] ?? '')),
  };
}

const { targets, inside } = startWithDescriptors();

describe('a descriptor that the host inherited', () => {
  it.each(rows.map(({ kind, descriptor }, index) => ({ kind, descriptor, target: targets[index] ?? '' })))(
    'does not reach a sandbox when it is a $kind at $descriptor',
    ({ target }) => {
      expect(target).toMatch(/^\/|^(socket|pipe):\[\d+\]$/);
      expect(inside.length).toBeGreaterThan(3);
      expect(inside.filter((line) => line.endsWith(` ${target}`) || line.includes(folder))).toEqual([]);
    },
  );
});
