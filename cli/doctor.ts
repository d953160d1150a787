/** `npm run doctor`: diagnoses this machine's setup or a deployment, with a remedy for each problem. */
import { readFile } from 'node:fs/promises';
import { checkoutWith } from './doctor/checkout.ts';
import { examineDeployment } from './doctor/examine-deployment.ts';
import { examineHere, examineSandboxes } from './doctor/examine-here.ts';
import { documentOf, lineOf, summaryOf } from './doctor/print.ts';
import { configPathOf, readDevVars } from '../host/environment.ts';
import { jsonOption } from './command/read-arguments.ts';
import { originOf } from './command/option-values.ts';
import { runCommand } from './command/run-command.ts';

await runCommand({
  name: 'npm run doctor',
  about:
    'Checks settings, configuration, GitHub App, Slack app, OpenAI key and models, clock and sandbox. Prints\n' +
    'one line per check, with a remedy for each problem. Changes nothing, and destroys the sandbox that it\n' +
    'starts. Uses the settings of npm start, whether a bot is running or not.',
  options: {
    url: {
      type: 'string',
      value: 'URL',
      about:
        'checks a deployment instead, which uses its own secrets\n' +
        '(needs its API_TOKEN, from the environment or .dev.vars)',
    },
    json: jsonOption('prints { ok, url, checks: [{ id, status: ok|warn|fail|skip, found, todo, ms }] }'),
  },
  more: 'Exit status: 0 no check failed (there can be warnings), 1 a check failed, 2 wrong usage.',
  run: async ({ values, say }) => {
    const devVars = await readDevVars();
    const environment = { ...devVars, ...process.env };
    const url = values.url === undefined ? null : originOf(values.url);
    const findings =
      url === null
        ? await examineHere({ environment, devVars, fetch, now: Date.now, sandboxes: examineSandboxes })
        : await examineDeployment({
            url,
            apiToken: environment['API_TOKEN']?.trim() || null,
            checkout: checkoutWith(await readFile(configPathOf(environment), 'utf8').catch(() => null)),
            fetch,
          });
    if (values.json === true) say(documentOf(findings, url));
    else for (const line of [...findings.map(lineOf), '', summaryOf(findings)]) say(line);
    return findings.some(({ status }) => status === 'fail') ? 1 : 0;
  },
});
