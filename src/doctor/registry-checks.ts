/**
 * Checks each private registry: its secret is set, the registry is reachable, and it accepts the credential.
 * Asks with the credential and, where that proves nothing, without it and for npm's own question.
 */
import { allRegistries, namedRepositories, resolveRepository } from '../config/resolve-repository.ts';
import type { AirlockConfig } from '../config/schema.ts';
import { credentialHeader, registrySecret, registrySecretProblems, type Registry } from '../core/registry.ts';
import type { RepositoryRef } from '../core/task.ts';
import { purposes } from '../github/app-auth.ts';
import { fail, ok, skip, warn, type Check, type Verdict } from './check.ts';
import type { AsApp } from './github-checks.ts';
import { withReadToken, type TokenInput } from './read-token.ts';
import { statusAt, type StatusAsked } from './service.ts';

export interface RegistryInput extends TokenInput {
  readonly environment: Readonly<Record<string, unknown>>;
  /** Null: it is not valid. */
  readonly config: AirlockConfig | null;
  readonly asApp: () => Promise<AsApp | null>;
}

/** With and without the credential, npm's question, and three for a token of the App. */
const requests = 6;

export function registryChecks(input: RegistryInput): Check[] {
  const { config } = input;
  if (config === null) return [];
  return allRegistries(config).map((registry) => ({
    id: `registry.${registry.host}${registry.pathPrefix}`,
    deadlineMs: input.timeoutMs * requests + 1000,
    run: async () => await judgeRegistry(input, config, registry),
  }));
}

async function judgeRegistry(
  input: RegistryInput,
  config: AirlockConfig,
  registry: Registry,
): Promise<Verdict> {
  if (registry.secret === null) return await judgeWithApp(input, config, registry);
  const { secret } = registry;
  const problem = registrySecretProblems([registry], input.environment).get(secret);
  if (problem !== undefined)
    return fail(
      `${secret} ${problem}`,
      `Set it in .dev.vars or the environment; on Cloudflare: npx wrangler secret put ${secret}`,
    );
  return await judgeWith(input, registry, registrySecret(input.environment, secret) ?? '');
}

async function judgeWithApp(
  input: RegistryInput,
  config: AirlockConfig,
  registry: Registry,
): Promise<Verdict> {
  const asApp = await input.asApp();
  if (asApp === null) return skip('github.app first');
  const reads = (repository: RepositoryRef): boolean => {
    const policy = resolveRepository(config, repository);
    return policy.allowed && policy.setup?.registries.some(({ host }) => host === registry.host) === true;
  };
  const repository = namedRepositories(config).find(reads);
  if (repository === undefined) return skip('the configuration names no repository that reads it');
  const judged = await withReadToken(
    input,
    asApp,
    repository,
    async (token) => await judgeWith(input, registry, token),
    purposes.packages,
  ).catch(() =>
    fail(
      'the App has no token for packages',
      'Give it the repository permission Packages: read-only, and accept it where it is installed.',
    ),
  );
  return judged ?? skip('github.installed first');
}

/** Never shows the secret: it goes into one header. */
async function judgeWith(input: RegistryInput, registry: Registry, secret: string): Promise<Verdict> {
  const { host, pathPrefix } = registry;
  const root = `https://${host}${pathPrefix}/`;
  const named = registry.secret ?? 'the App’s token';
  const { header, value } = credentialHeader(registry.scheme, secret);
  const withIt = { [header]: value };
  const asked = await statusAt(input, root, withIt);
  if (!asked.answered)
    return fail(
      `${host} cannot be reached: ${asked.why}`,
      'Check the network, and the name in the configuration.',
    );
  const refused = fail(
    `${host} refuses ${named}`,
    registry.secret === null
      ? 'GitHub may accept only a classic personal access token there: use "bearer" with a secret.'
      : 'Check that it is valid and may read there, and that "scheme" and "pathPrefix" are right.',
  );
  if (asked.status === 401) return refused;
  if (asked.status >= 500 || asked.status === 429)
    return fail(`${host} answered ${asked.status}`, 'Ask again when the registry is well.');
  const stranger = await statusAt(input, root, {});
  if (isRefusal(stranger) && asked.status !== 403) return ok(`accepts ${named}`);
  const npm = await statusAt(input, `${root}-/whoami`, withIt);
  if (npm.answered && npm.status === 200) return ok(`accepts ${named}`);
  if (npm.answered && npm.status === 401) return refused;
  return warn(
    `answers with ${asked.status}; it does not say whether it accepts ${named}`,
    'Let "pathPrefix" lead to where its private packages are, or see that a first setup works.',
  );
}

const isRefusal = (asked: StatusAsked): boolean =>
  asked.answered && (asked.status === 401 || asked.status === 403);
