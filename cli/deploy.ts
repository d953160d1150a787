/** `npm run deploy`: checks everything, deploys with wrangler, and runs the doctor there. */
import { deploy } from './deploy/deploy.ts';
import { runPrograms } from './deploy/run-program.ts';
import { sandboxKindIn } from './deploy/sandbox-choice.ts';
import { lineOf, summaryOf } from './doctor/print.ts';
import { readDevVars, StartProblem } from '../host/environment.ts';
import { callersPath, originOf } from './command/option-values.ts';
import { runCommand } from './command/run-command.ts';

const interruptions = {
  checks: 'Interrupted: nothing was changed.',
  upload:
    'Interrupted during the upload: the old or the new Worker is running, possibly with the old image. ' +
    'Run npm run deploy again.',
  doctor:
    'Interrupted: the deployment is complete, but was not checked. To check it: npm run doctor -- --url …',
} as const;
type Stage = keyof typeof interruptions;

await runCommand({
  name: 'npm run deploy',
  about:
    'Checks configuration, types, generated files, bundle, secrets and image. Then deploys with wrangler, and\n' +
    'runs the doctor against the deployment.',
  options: {
    env: {
      type: 'string',
      value: 'NAME',
      about: 'environment of wrangler.jsonc, such as staging or production',
    },
    sandbox: {
      type: 'string',
      value: 'KIND',
      about:
        'what runs the sandboxes: native (the platform’s own containers) or sdk (the sandbox\n' +
        'SDK’s class); written to wrangler.jsonc, except with --dry-run',
    },
    'dry-run': {
      type: 'boolean',
      about: 'only the checks that need neither an account nor a container engine',
    },
    'secrets-file': {
      type: 'string',
      value: 'FILE',
      about: 'secrets to upload with a new Worker (NAME=value lines or JSON)',
    },
    url: {
      type: 'string',
      value: 'URL',
      about: 'address of the deployment, if wrangler does not print it',
    },
  },
  more:
    'Needs a login (npx wrangler login, or CLOUDFLARE_API_TOKEN), the API_TOKEN of the deployment, and a\n' +
    'container engine unless wrangler.jsonc names a prebuilt image. Ctrl-C is safe at any time and reports\n' +
    'the state.\n' +
    'Exit status: 0 deployed and working, 1 not deployed or a check failed, 2 wrong usage, 130 interrupted.',
  run: async ({ values, say, onStop }) => {
    const stop = new AbortController();
    let stage: Stage = 'checks';
    onStop(() => stop.abort());
    const file = values['secrets-file'];
    const environment = { ...(await readDevVars()), ...process.env };
    try {
      const findings = await deploy({
        environment: values.env ?? null,
        sandbox: sandboxKindIn(values.sandbox),
        dryRun: values['dry-run'] ?? false,
        secretsFile: file === undefined ? null : callersPath(file),
        url: values.url === undefined ? null : originOf(values.url),
        apiToken: environment['API_TOKEN']?.trim() || null,
        run: runPrograms(stop.signal),
        fetch: async (input, init) =>
          await fetch(input, {
            ...init,
            signal: AbortSignal.any([stop.signal, ...(init?.signal ? [init.signal] : [])]),
          }),
        stop: stop.signal,
        progress: say,
        onStage: (entered) => (stage = entered),
      });
      stop.signal.throwIfAborted();
      for (const finding of findings) say(lineOf(finding));
      if (findings.length > 0) say(`\n${summaryOf(findings)}`);
      return findings.some(({ status }) => status === 'fail') ? 1 : 0;
    } catch (error) {
      if (error instanceof StartProblem) throw new Error(`✗ ${error.message}`, { cause: error });
      if (!stop.signal.aborted) throw error;
      process.stderr.write(`\n${interruptions[stage]}\n`);
      return 130;
    }
  },
});
