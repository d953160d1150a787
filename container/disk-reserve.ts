/** Reserves room on the disk of a sandbox, so that a full disk does not lose a finished change. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** For the collector's objects and its output. */
const reserveBytes = 48 * 1024 * 1024;
/** As in `src/core/checkout.ts`, which is not in the sandbox. */
const diskReserve = 'reserve';

/** Reserves room for the collector if its scratch folder is on the disk that Codex can fill. Best effort. */
export async function reserveRoom(folder: string): Promise<void> {
  const [own, scratch] = await Promise.all([stat(folder), stat(tmpdir())]);
  if (own.dev !== scratch.dev) return;
  const child = spawn('fallocate', ['--length', String(reserveBytes), join(folder, diskReserve)]);
  await once(child, 'close').catch(() => undefined);
}
