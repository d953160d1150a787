/** Hands a changed `wrangler.jsonc` to wrangler without changing the file. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../host/project-root.ts';
import type { WranglerConfig } from './deployment-environments.ts';

/** `act` gets the arguments by which wrangler reads `config`; none if it is null. */
export async function withConfigFile<T>(
  config: WranglerConfig | null,
  act: (args: readonly string[]) => Promise<T>,
): Promise<T> {
  if (config === null) return await act([]);
  // In this folder, because wrangler resolves the paths of a file from where it is.
  const file = join(projectRoot, `.wrangler-${process.pid}.json`);
  await writeFile(file, JSON.stringify(config));
  try {
    return await act(['--config', file]);
  } finally {
    await rm(file, { force: true });
  }
}
