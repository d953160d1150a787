/** `npm run doctor`: diagnoses this machine's setup or a deployment, with a remedy for each problem. */
import { readFile } from 'node:fs/promises';
import { deploy } from './deploy/deploy.ts';
import { runPrograms } from './deploy/run-program.ts';
import { checkoutWith } from './doctor/checkout.ts';
import { examineDeeply } from './doctor/examine-deeply.ts';
import { examineDeployment } from './doctor/examine-deployment.ts';
import { examineHere, examineSandboxes } from './doctor/examine-here.ts';
import { documentOf, lineOf, summaryOf } from './doctor/print.ts';
import { runContract } from './doctor/run-contract.ts';
import type { BotApi } from './task/bot-api.ts';
import type { Finding } from '../src/core/finding.ts';
import { configPathOf, readDevVars } from '../host/environment.ts';
import { jsonOption } from './command/read-arguments.ts';
import { originOf } from './command/option-values.ts';
import { runCommand, UsageProblem } from './command/run-command.ts';

await runCommand({
  name: 'npm run doctor',
  about:
    'Checks settings, configuration, GitHub App, Slack app, OpenAI key and models, clock and sandbox. Prints\n' +
    'one line per check, with a remedy for each problem. Changes nothing, and destroys the sandbox that it\n' +
    'starts. Uses the settings of npm start, whether a bot is running or not.\n' +
    'With --url, --deep also checks the sandbox contract there, lets one task open a pull request, and deploys\n' +
    'again while it runs: the check of a first deployment, about 20 minutes.',
  options: {
    url: {
      type: 'string',
      value: 'URL',
      about:
        'checks a deployment instead, which uses its own secrets\n' +
        '(needs its API_TOKEN, from the environment or .dev.vars)',
    },
    deep: { type: 'boolean', about: 'checks a deployment with real work; needs --url and --repository' },
    repository: {
      type: 'string',
      value: 'OWNER/REPO',
      about: 'where --deep opens a pull request',
    },
    env: {
      type: 'string',
      value: 'NAME',
      about: 'environment of wrangler.jsonc that --deep deploys again; left out: no deployment',
    },
    json: jsonOption('prints { ok, url, checks: [{ id, status: ok|warn|fail|skip, found, todo, ms }] }'),
  },
  more: 'Exit status: 0 no check failed (there can be warnings), 1 a check failed, 2 wrong usage.',
  run: async ({ values, say, onStop }) => {
    const { deep = false, repository, env } = values;
    if (deep && (values.url === undefined || repository === undefined))
      throw new UsageProblem('--deep needs --url, and --repository for its pull request.');
    if (!deep && (repository !== undefined || env !== undefined))
      throw new UsageProblem('--repository and --env belong to --deep.');
    const devVars = await readDevVars();
    const environment = { ...devVars, ...process.env };
    const url = values.url === undefined ? null : originOf(values.url);
    const apiToken = environment['API_TOKEN']?.trim() || null;
    const shallow =
      url === null
        ? await examineHere({ environment, devVars, fetch, now: Date.now, sandboxes: examineSandboxes })
        : await examineDeployment({
            url,
            apiToken,
            checkout: checkoutWith(await readFile(configPathOf(environment), 'utf8').catch(() => null)),
            fetch,
          });
    const isSound = shallow.every(({ status }) => status !== 'fail');
    const deeper =
      url === null || repository === undefined || apiToken === null || !isSound
        ? []
        : await deeply({ bot: { url, apiToken }, repository, environment: env ?? null, onStop });
    const findings = [...shallow, ...deeper];
    if (values.json === true) say(documentOf(findings, url));
    else for (const line of [...findings.map(lineOf), '', summaryOf(findings)]) say(line);
    return findings.some(({ status }) => status === 'fail') ? 1 : 0;
  },
});

async function deeply({
  bot,
  repository,
  environment,
  onStop,
}: {
  readonly bot: BotApi;
  readonly repository: string;
  readonly environment: string | null;
  readonly onStop: (stop: () => void) => void;
}): Promise<readonly Finding[]> {
  const stop = new AbortController();
  onStop(() => stop.abort());
  const run = runPrograms(stop.signal);
  const progress = (line: string): void => void process.stderr.write(`${line}\n`);
  const redeploy = async (): Promise<readonly Finding[]> =>
    await deploy({
      ...bot,
      environment,
      sandbox: null,
      dryRun: false,
      secretsFile: null,
      run,
      fetch,
      stop: stop.signal,
      progress,
      onStage: () => undefined,
    });
  return await examineDeeply({
    bot,
    repository,
    contract: async () => await runContract(run, bot),
    redeploy: environment === null ? null : redeploy,
    stop: stop.signal,
    progress,
  });
}
