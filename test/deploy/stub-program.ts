/** Replaces wrangler (4.155.0), tsc, node and docker on PATH: prints planned output, records calls. */
import { appendFileSync, readFileSync } from 'node:fs';
import { z } from 'zod';

const planned = z.object({
  code: z.number().optional(),
  stdout: z.string().optional(),
  stderr: z.string().optional(),
  /** Addresses that `wrangler deploy` reports. */
  targets: z.array(z.string()).optional(),
  /** Version id that `wrangler deploy` reports. */
  versionId: z.string().optional(),
  hangs: z.boolean().optional(),
});
const file = (name: string): string => process.env[name] ?? '';
const plan = z.record(z.string(), planned).parse(JSON.parse(readFileSync(file('STUB_PLAN'), 'utf8')));
const [program = '', ...args] = process.argv.slice(2);
appendFileSync(file('STUB_CALLS'), `${JSON.stringify([program, ...args])}\n`);

const ofWrangler = args[0] === 'secret' ? 'secrets' : args.includes('--dry-run') ? 'bundle' : 'upload';
const name = program === 'wrangler' ? ofWrangler : program;
const { code = 0, stdout = '', stderr = '', targets, versionId, hangs = false } = plan[name] ?? {};
process.stdout.write(stdout);
process.stderr.write(stderr);
if (hangs) {
  process.stdout.write('hanging\n');
  setInterval(() => undefined, 1000);
} else {
  if (name === 'upload' && targets !== undefined) {
    const lines = [
      { type: 'wrangler-session', version: 1 },
      { type: 'deploy', version: 1, worker_name: 'airlock', version_id: versionId, targets },
    ];
    appendFileSync(
      file('WRANGLER_OUTPUT_FILE_PATH'),
      lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
    );
  }
  process.exitCode = code;
}
