/**
 * `npm run doctor`: diagnoses the setup of this machine, or of a deployment, and names a remedy for each
 * problem.
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { checkoutWith } from './doctor/checkout.ts';
import { examineDeployment } from './doctor/examine-deployment.ts';
import { examineHere, examineSandboxes } from './doctor/examine-here.ts';
import { documentOf, lineOf, summaryOf } from './doctor/print.ts';
import { configPathOf, readDevVars } from '../host/environment.ts';

const help = `npm run doctor [-- options]

Checks settings, configuration, GitHub App, Slack app, OpenAI key and models, clock and sandbox. Prints one
line per check, with a remedy for each problem. Changes nothing, and destroys the sandbox that it starts. Uses
the settings of npm start, whether a bot is running or not.

  --url URL    checks a deployment instead, which uses its own secrets
               (needs its API_TOKEN, from the environment or .dev.vars)
  --json       prints { ok, url, checks: [{ id, status: ok|warn|fail|skip, found, todo, ms }] }

Exit status: 0 no check failed (there can be warnings), 1 a check failed, 2 wrong usage.
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { help: { type: 'boolean', short: 'h' }, url: { type: 'string' }, json: { type: 'boolean' } },
  });
  if (values.help === true) {
    process.stdout.write(help);
    return 0;
  }
  const environment = { ...(await readDevVars()), ...process.env };
  const url = values.url === undefined ? null : addressOf(values.url);
  const findings =
    url === null
      ? await examineHere({ environment, fetch, now: Date.now, sandboxes: examineSandboxes })
      : await examineDeployment({
          url,
          apiToken: environment['API_TOKEN']?.trim() || null,
          checkout: checkoutWith(await readFile(configPathOf(environment), 'utf8').catch(() => null)),
          fetch,
        });
  if (values.json === true) process.stdout.write(`${documentOf(findings, url)}\n`);
  else
    for (const line of [...findings.map(lineOf), '', summaryOf(findings)]) process.stdout.write(`${line}\n`);
  return findings.some(({ status }) => status === 'fail') ? 1 : 0;
}

function addressOf(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new TypeError(`--url must be an http(s) address, such as https://airlock.example.workers.dev`);
  return url.origin;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof TypeError ? 2 : 1;
}
