/** The doctor for a deployment: compares it with this checkout, and fetches its findings by the API token. */
import type { Finding } from '../../src/core/finding.ts';
import { fail, ok, runChecks, warn, type Verdict } from '../../src/doctor/check.ts';
import { askDoctor, askHealth, type Health, type WorkerReport } from './ask-worker.ts';
import type { Checkout } from './checkout.ts';

export interface DeploymentOptions {
  /** Without a trailing slash. */
  readonly url: string;
  /** null if none is set here. */
  readonly apiToken: string | null;
  readonly checkout: Checkout;
  readonly fetch: typeof fetch;
  /** Time limit in milliseconds for a request that is answered at once. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 10_000;

/** Returns the findings in a fixed order. Never rejects. */
export async function examineDeployment(options: DeploymentOptions): Promise<readonly Finding[]> {
  const { url, apiToken, checkout } = options;
  const service = { fetch: options.fetch, timeoutMs: options.timeoutMs ?? defaultTimeoutMs };
  const secrets = apiToken === null ? [] : [apiToken];
  const health = await askHealth(service, url);
  const reached = await judged('deployment', judgeHealth(health, url), secrets);
  if (health.kind === 'no-answer' || health.kind === 'something-else') return reached;
  if (apiToken === null)
    return [
      ...reached,
      ...(await judged(
        'api',
        fail('API_TOKEN is missing here', 'Set it to the deployment’s, in the environment or in .dev.vars.'),
        secrets,
      )),
    ];
  const report = await askDoctor({ fetch: options.fetch }, url, apiToken, { url });
  return [
    ...reached,
    ...(await judged('api', judgeApi(report), secrets)),
    ...(report.ok
      ? [
          ...(await judged('version', judgeVersion(report, checkout), secrets)),
          ...(await judged('version.config', judgeConfig(report, checkout), secrets)),
          ...report.findings,
        ]
      : []),
  ];
}

async function judged(id: string, verdict: Verdict, secrets: readonly string[]): Promise<readonly Finding[]> {
  return await runChecks([{ id, run: () => Promise.resolve(verdict) }], { deadlineMs: 1000, secrets });
}

function judgeHealth(health: Health, url: string): Verdict {
  switch (health.kind) {
    case 'airlock':
      return ok(`Airlock ${health.version} answers at ${url}`);
    case 'not-configured':
      return warn(
        `Airlock answers at ${url}, but refuses every request because it is not configured`,
        'Fix the problems below, then deploy or restart.',
      );
    case 'broken':
      return fail(`Airlock answers at ${url}, but can accept nothing`, health.why);
    case 'something-else':
      return fail(`the server at ${url} is not Airlock (status ${health.status})`, 'Check --url.');
    case 'no-answer':
      return fail(`nothing answers at ${url}: ${health.why}`, 'Check --url, and whether the bot runs there.');
  }
}

function judgeApi(report: WorkerReport): Verdict {
  if (report.ok) return ok('API_TOKEN is accepted');
  switch (report.status) {
    case 401:
      return fail(
        'the deployment does not accept this API_TOKEN',
        'Set API_TOKEN here to the value of the deployment.',
      );
    case 403:
      return fail(
        'the deployment has no API_TOKEN, or one with fewer than 16 characters',
        'Set it there (npx wrangler secret put API_TOKEN) and here.',
      );
    case null:
      return fail(`the deployment stopped answering: ${report.why}`, 'Check its log, and try again.');
    case 404:
      return fail('the deployment is too old to run the doctor', 'Deploy this checkout: npm run deploy.');
    default:
      return fail(`the deployment could not run its doctor: ${report.why}`, 'Check its log, and try again.');
  }
}

function judgeVersion({ version }: { readonly version: string }, checkout: Checkout): Verdict {
  return version === checkout.version
    ? ok(`${version}, same as this checkout`)
    : fail(
        `${version} is deployed, but this checkout is ${checkout.version}`,
        'Deploy this checkout (npm run deploy), or check out the deployed version.',
      );
}

function judgeConfig({ configHash }: { readonly configHash: string }, checkout: Checkout): Verdict {
  if (configHash === checkout.configHash) return ok('the deployed configuration is the same as here');
  return warn(
    'the deployed configuration differs from the one here',
    'On Cloudflare the configuration is part of the deployment: deploy again to apply the one here.',
  );
}
