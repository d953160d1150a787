/** Runs every check, where the secrets are. Only reads, but for a sandbox and a token, which it ends. */
import type { AirlockConfig } from '../config/schema.ts';
import type { Finding } from '../core/finding.ts';
import { passwordOf, registrySecret } from '../core/registry.ts';
import { runChecks, once } from './check.ts';
import { clockCheck, readClock } from './clock-check.ts';
import { gitHostCheck } from './git-host-check.ts';
import { githubApp, githubChecks } from './github-checks.ts';
import { openaiChecks } from './openai-checks.ts';
import { allRegistries } from '../config/resolve-repository.ts';
import { registryChecks } from './registry-checks.ts';
import { ruleCheck } from './rule-check.ts';
import { sandboxChecks, type ProbeSandbox } from './sandbox-checks.ts';
import { configCheck, readSettings, settingChecks } from './settings-checks.ts';
import { slackChecks } from './slack-checks.ts';
import { webhookChecks } from './webhook-checks.ts';

export interface DoctorDeps {
  /** Settings by name, as they are bound or set. Ignores other names. */
  readonly environment: Readonly<Record<string, unknown>>;
  /** Null: the file cannot be read. */
  readonly configText: string | null;
  /** The name of the file in messages. */
  readonly configName: string;
  /** Where GitHub and Slack reach this Airlock, without a trailing slash; null when it is unknown. */
  readonly publicUrl: string | null;
  /** Null: sandboxes are checked elsewhere. */
  readonly probeSandbox: ProbeSandbox | null;
  readonly fetch: typeof fetch;
  readonly now: () => number;
  /** Runs only the checks whose id it accepts. Left out: all. */
  readonly only?: (id: string) => boolean;
  /** Milliseconds for one request. A check may take twice that, and a sandbox longer. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 10_000;

/** Never rejects because of what it checks. */
export async function examine(deps: DoctorDeps): Promise<readonly Finding[]> {
  const { environment, publicUrl, now } = deps;
  const service = { fetch: deps.fetch, timeoutMs: deps.timeoutMs ?? defaultTimeoutMs };
  const read = readSettings(environment);
  const { settings, broken } = read;
  const { check: configured, read: loaded } = configCheck(deps.configText, deps.configName);
  const config = loaded?.ok === true ? loaded.config : null;
  const clock = once(async () => await readClock({ ...service, apiUrl: settings.githubApiUrl, now }));
  const github = {
    ...service,
    appId: settings.githubAppId,
    privateKey: settings.githubAppPrivateKey,
    apiUrl: settings.githubApiUrl,
    now,
    broken,
    config,
    clock,
  };
  const app = githubApp(github);
  const asApp = async () => {
    const answer = await app();
    return answer.app === null ? null : answer.asApp;
  };
  // A Worker that is not configured runs nothing, sandboxes included.
  const [firstBroken] = broken.keys();
  const brokenStart =
    firstBroken ??
    (config === null ? 'config' : settings.slack !== null && config.slack === null ? 'slack.team' : null);
  const { githubDeliveries: way } = settings;
  const appToken = environment['SLACK_APP_TOKEN'];
  const checks = [
    configured,
    ...settingChecks(read, environment),
    clockCheck(clock),
    ...githubChecks(github, app),
    gitHostCheck({ ...github, githubUrl: settings.githubUrl, asApp }),
    ruleCheck({ ...github, appOf: app }),
    ...webhookChecks({
      asApp,
      publicUrl,
      readsLog: way === 'poll' || (way === 'auto' && publicUrl === null),
      now,
      broken,
    }),
    ...slackChecks({
      ...service,
      slack: settings.slack,
      apiUrl: read.slackApiUrl,
      appToken: typeof appToken === 'string' && appToken.trim() !== '' ? appToken.trim() : null,
      broken,
      config,
    }),
    ...openaiChecks({
      ...service,
      apiKey: settings.openaiApiKey,
      baseUrl: settings.openaiBaseUrl,
      broken,
      config,
    }),
    ...registryChecks({ ...github, environment, asApp }),
    ...(deps.probeSandbox === null ? [] : sandboxChecks(deps.probeSandbox, brokenStart)),
  ];
  const { only = () => true } = deps;
  return await runChecks(
    checks.filter(({ id }) => only(id)),
    {
      deadlineMs: service.timeoutMs * 2 + 1000,
      secrets: [...secretsIn(environment), ...registrySecretsIn(environment, config)],
    },
  );
}

const secretSettings = /TOKEN|SECRET|KEY/;

/** Their names are the operator's own. */
function registrySecretsIn(
  environment: Readonly<Record<string, unknown>>,
  config: AirlockConfig | null,
): string[] {
  const registries = config === null ? [] : allRegistries(config);
  return registries.flatMap(({ secret }) => {
    const value = secret === null ? null : registrySecret(environment, secret);
    return value === null ? [] : [value, passwordOf(value)];
  });
}

/** What must not be repeated. The private key counts line by line, since no service echoes it whole. */
function secretsIn(environment: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(environment).flatMap(([name, value]) =>
    typeof value === 'string' && secretSettings.test(name)
      ? value.split(/\\n|\n/).map((line) => line.trim())
      : [],
  );
}
