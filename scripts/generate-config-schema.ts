/** Writes `airlock.schema.json`, for editors, from the zod schema. `--check`: exits with 1 if out of date. */
import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { configSchema } from '../src/config/schema.ts';

const file = new URL('../airlock.schema.json', import.meta.url);
// Editors support draft 7 best. `io: 'input'` describes the file as written, before defaults and trimming.
const schema = z.toJSONSchema(configSchema, { target: 'draft-7', io: 'input' });
const text = `${JSON.stringify(schema, null, 2)}\n`;

if (process.argv.includes('--check')) {
  const current = await readFile(file, 'utf8').catch(() => '');
  if (current !== text) {
    console.error('airlock.schema.json is out of date: run `npm run generate`');
    process.exitCode = 1;
  }
} else await writeFile(file, text);
