/** Searches a sandbox and the files of a bot for secrets, in the forms in which they travel. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { TaskSandbox } from '../../src/core/ports/sandbox-port.ts';

export interface Needle {
  readonly name: string;
  readonly text: string;
}
const needlesFile = '/run/airlock/needles.json';
/** Node takes `.mts` for a module wherever it lies. */
const searchProgram = '/run/airlock/search-sandbox.mts';

/** Each secret as it is, and in the forms in which headers and addresses carry it. */
export function needlesFor(secrets: ReadonlyMap<string, string>): readonly Needle[] {
  const base64 = (text: string) => Buffer.from(text).toString('base64').replace(/=+$/, '');
  return [...secrets].flatMap(([name, secret]) => [
    { name, text: secret },
    { name: `${name}, base64`, text: base64(secret) },
    { name: `${name}, basic authorization`, text: base64(`x-access-token:${secret}`) },
    { name: `${name}, escaped`, text: JSON.stringify(encodeURIComponent(secret)).slice(1, -1) },
  ]);
}

const report = z.object({
  found: z.array(z.object({ name: z.string(), where: z.string() })),
  files: z.number(),
  unreadable: z.array(z.string()),
  programs: z.array(z.string()),
});

export async function search(
  sandbox: TaskSandbox,
  needles: readonly Needle[],
  since: number,
): Promise<z.infer<typeof report>> {
  await sandbox.writeFile(
    searchProgram,
    await readFile(new URL('./search-sandbox.ts', import.meta.url), 'utf8'),
  );
  await sandbox.writeFile(needlesFile, JSON.stringify(needles));
  const argv = ['/opt/node/bin/node', searchProgram, needlesFile, String(since)];
  const result = await sandbox.exec({ argv }, { timeoutMs: 550_000, maxOutputBytes: 4 * 1024 * 1024 });
  if (result.exitCode !== 0) throw new Error(`the search failed: ${result.stderr.slice(-1000)}`);
  return report.parse(JSON.parse(result.stdout));
}

/** Files below a folder that hold one of the texts. */
export async function holders(
  folder: string,
  needles: readonly Needle[],
): Promise<readonly { name: string; where: string }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found: { name: string; where: string }[] = [];
  for (const entry of entries.filter((candidate) => candidate.isFile())) {
    const where = join(entry.parentPath, entry.name);
    const bytes = await readFile(where);
    for (const { name, text } of needles)
      if (bytes.includes(text)) found.push({ name, where: where.slice(folder.length) });
  }
  return found;
}
