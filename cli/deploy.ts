/**
 * `npm run deploy`: checks everything, deploys to Cloudflare with wrangler, and runs the doctor against the
 * deployment.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { deploy } from './deploy/deploy.ts';
import { runPrograms } from './deploy/run-program.ts';
import { lineOf, summaryOf } from './doctor/print.ts';
import { readDevVars, StartProblem } from '../host/environment.ts';
import { onStopSignal } from '../host/stop-signals.ts';

const help = `npm run deploy [-- options]

Checks configuration, types, generated files, bundle, secrets and image. Then deploys with wrangler, and runs
the doctor against the deployment.

  --env NAME            environment of wrangler.jsonc, such as staging or production
  --dry-run             only the checks that need neither an account nor a container engine
  --secrets-file FILE   secrets to upload with a new Worker (NAME=value lines or JSON)
  --url URL             address of the deployment, if wrangler does not print it

Needs a login (npx wrangler login, or CLOUDFLARE_API_TOKEN), the API_TOKEN of the deployment, and a container
engine unless wrangler.jsonc names a prebuilt image. Ctrl-C is safe at any time and reports the state.
Exit status: 0 deployed and working, 1 not deployed or a check failed, 2 wrong usage, 130 interrupted.
`;

const interruptions = {
  checks: 'Interrupted: nothing was changed.',
  upload:
    'Interrupted during the upload: the old or the new Worker is running, possibly with the old image. ' +
    'Run npm run deploy again.',
  doctor:
    'Interrupted: the deployment is complete, but was not checked. To check it: npm run doctor -- --url …',
} as const;
type Stage = keyof typeof interruptions;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', short: 'h' },
      env: { type: 'string' },
      'dry-run': { type: 'boolean' },
      'secrets-file': { type: 'string' },
      url: { type: 'string' },
    },
  });
  if (values.help === true) {
    process.stdout.write(help);
    return 0;
  }
  const stop = new AbortController();
  let stage: Stage = 'checks';
  onStopSignal(() => stop.abort());
  const file = values['secrets-file'];
  const environment = { ...(await readDevVars()), ...process.env };
  try {
    const findings = await deploy({
      environment: values.env ?? null,
      dryRun: values['dry-run'] ?? false,
      // npm changes to the project's folder; a path on the command line is relative to the user's folder.
      secretsFile: file === undefined ? null : resolve(process.env['INIT_CWD'] ?? process.cwd(), file),
      url: values.url === undefined ? null : new URL(values.url).origin,
      apiToken: environment['API_TOKEN']?.trim() || null,
      run: runPrograms(stop.signal),
      fetch: async (input, init) =>
        await fetch(input, {
          ...init,
          signal: AbortSignal.any([stop.signal, ...(init?.signal ? [init.signal] : [])]),
        }),
      stop: stop.signal,
      progress: (line) => void process.stdout.write(`${line}\n`),
      onStage: (entered) => (stage = entered),
    });
    stop.signal.throwIfAborted();
    for (const finding of findings) process.stdout.write(`${lineOf(finding)}\n`);
    if (findings.length > 0) process.stdout.write(`\n${summaryOf(findings)}\n`);
    return findings.some(({ status }) => status === 'fail') ? 1 : 0;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    process.stderr.write(`\n${interruptions[stage]}\n`);
    return 130;
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${error instanceof StartProblem ? `✗ ${message}` : message}\n`);
  process.exitCode = error instanceof TypeError ? 2 : 1;
}
