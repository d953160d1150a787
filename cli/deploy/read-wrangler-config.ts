/** Reads `wrangler.jsonc`, as far as it is of interest here. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, type ParseError } from 'jsonc-parser';
import { wranglerConfigSchema, type WranglerConfig } from './deployment-environments.ts';
import { projectRoot } from '../../host/project-root.ts';

export const wranglerConfigFile = join(projectRoot, 'wrangler.jsonc');

/** Throws when the file is not what wrangler takes, or not ours. */
export async function readWranglerConfig(): Promise<WranglerConfig> {
  const errors: ParseError[] = [];
  const parsed: unknown = parse(await readFile(wranglerConfigFile, 'utf8'), errors, {
    allowTrailingComma: true,
  });
  if (errors.length > 0) throw new Error('wrangler.jsonc is no JSON with comments');
  return wranglerConfigSchema.parse(parsed);
}
