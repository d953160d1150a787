/** Reads and validates `wrangler.jsonc`. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, type ParseError } from 'jsonc-parser';
import { wranglerConfigSchema, type WranglerConfig } from './deployment-environments.ts';
import { projectRoot } from '../../host/project-root.ts';

export const wranglerConfigFile = join(projectRoot, 'wrangler.jsonc');

/** Rejects if the file is not valid JSON with comments, or lacks a part that deployments need. */
export async function readWranglerConfig(): Promise<WranglerConfig> {
  const errors: ParseError[] = [];
  const parsed: unknown = parse(await readFile(wranglerConfigFile, 'utf8'), errors, {
    allowTrailingComma: true,
  });
  if (errors.length > 0) throw new Error('wrangler.jsonc is not valid JSON with comments');
  return wranglerConfigSchema.parse(parsed);
}
