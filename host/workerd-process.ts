/** Makes Miniflare start workerd so that it ends with this process, and finds that workerd. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as z from 'zod';
import { readProcessTable } from './sandbox/process-table.ts';

const workerdModule = z.object({ default: z.string() });
const idName = 'AIRLOCK_WORKERD_ID';

/** Variables for Miniflare and `workerd.sh`; an operator's own workerd is kept. */
export function bindWorkerd(id: string): Readonly<Record<string, string>> {
  const { env } = process;
  env['AIRLOCK_WORKERD'] ??= env['MINIFLARE_WORKERD_PATH'] ?? installedWorkerd();
  env['MINIFLARE_WORKERD_PATH'] = join(import.meta.dirname, 'workerd.sh');
  return { AIRLOCK_HOST_PID: String(process.pid), [idName]: id };
}

/** The version that Miniflare was made for. */
function installedWorkerd(): string {
  const miniflare = createRequire(import.meta.url).resolve('miniflare');
  return workerdModule.parse(createRequire(miniflare)('workerd')).default;
}

/** Returns the pid of the child with this id; null while there is none. */
export function workerdPid(id: string): number | null {
  const children = readProcessTable().filter(({ parent }) => parent === process.pid);
  return children.find(({ pid }) => environmentOf(pid).includes(`${idName}=${id}`))?.pid ?? null;
}

function environmentOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
  } catch {
    return []; // It ended in the meantime.
  }
}
