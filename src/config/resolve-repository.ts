/** Resolves the policy of a repository from the entry that applies to it. Not listed means not allowed. */
import { builtIn } from './built-in.ts';
import { budgetOf } from './budget-schema.ts';
import { readAllowed } from '../core/gate-policy.ts';
import { parseRepositoryRef } from '../core/ids.ts';
import type { ModelPrice, RepositoryPolicy, RepositoryRefusal, SlackPolicy } from '../core/policy.ts';
import { reasonOf } from '../core/reason.ts';
import type { Registry } from '../core/registry.ts';
import type { RepositoryRef } from '../core/task.ts';
import { publishPolicyOf } from './publish-schema.ts';
import { registriesOf } from './read-registries.ts';
import { matchesPattern } from './repository-pattern.ts';
import { sandboxPolicyOf } from './sandbox-schema.ts';
import type { AirlockConfig, RepositoryEntry } from './schema.ts';
import { slackAccessOf } from './slack-schema.ts';

/** Returns the most specific entry that matches. No other entry applies. */
export function entryFor(config: AirlockConfig, repository: RepositoryRef): RepositoryEntry | null {
  return config.repositories.find((entry) => matchesPattern(entry.pattern, repository)) ?? null;
}

/** Reasons are for people who may write to the repository. `authorize` does not show them to others. */
export function resolveRepository(
  config: AirlockConfig,
  repository: RepositoryRef,
): RepositoryPolicy | RepositoryRefusal {
  const entry = entryFor(config, repository);
  const named = { repository: `\`${repository.owner}/${repository.name}\``, file: config.fileName };
  if (entry === null) return { allowed: false, reason: reasonOf('repository-not-listed', named) };
  if (entry.excluded) {
    const values = { ...named, entry: entry.pattern.key };
    return { allowed: false, reason: reasonOf('repository-excluded', values) };
  }
  const { settings } = entry;
  const { defaults } = config;
  const model = settings.model ?? defaults.model ?? builtIn.model;
  return {
    allowed: true,
    matchedBy: entry.pattern.key,
    aliases: settings.aliases ?? [],
    baseBranch: settings.baseBranch ?? null,
    model,
    models: [...new Set([model, ...(settings.models ?? defaults.models ?? [])])],
    effort: settings.effort ?? defaults.effort ?? builtIn.effort,
    setup:
      settings.setup === undefined
        ? null
        : {
            run: settings.setup.run,
            hosts: hostNames(settings.setup.hosts),
            registries: registriesOf(settings.setup.registries),
            optional: settings.setup.optional ?? false,
            services: settings.setup.services ?? false,
          },
    sandbox: sandboxPolicyOf(settings.sandbox, defaults.sandbox),
    alsoRead: (settings.alsoRead ?? []).flatMap((name) => parseRepositoryRef(name) ?? []),
    lfs: settings.lfs ?? false,
    extraHosts: hostNames(settings.extraHosts),
    limits: {
      minutes: settings.limits?.minutes ?? defaults.limits?.minutes ?? builtIn.minutes,
      tokens: settings.limits?.tokens ?? defaults.limits?.tokens ?? builtIn.tokens,
    },
    draft: settings.draft ?? defaults.draft ?? builtIn.draft,
    branchPrefix: settings.branchPrefix ?? defaults.branchPrefix ?? builtIn.branchPrefix,
    ...publishPolicyOf(settings, defaults),
    budget: budgetOf(settings.budget ?? defaults.budget),
    approval: settings.approval ?? defaults.approval ?? builtIn.approval,
    gate: {
      protected: settings.gate?.protected ?? defaults.gate?.protected ?? [],
      allow: (settings.gate?.allow ?? defaults.gate?.allow ?? []).flatMap((text) => {
        const read = readAllowed(text);
        return read.ok ? [read.allowed] : [];
      }),
    },
    slack: slackAccessOf(settings.slack ?? defaults.slack),
  };
}

const hostNames = (names: readonly string[] = []): string[] => [
  ...new Set(names.map((host) => host.toLowerCase())),
];

/** Returns the repository that an alias names, spelled as its key; null if there is none. Ignores case. */
export function repositoryByAlias(config: AirlockConfig, alias: string): RepositoryRef | null {
  const wanted = alias.trim().toLowerCase();
  const entry = config.repositories.find(({ settings }) => settings.aliases?.includes(wanted) === true);
  return entry === undefined ? null : parseRepositoryRef(entry.pattern.key.replace(/^!/, ''));
}

/** Returns the Slack policy; null if the file has no `slack`, which turns Slack off. */
export function slackPolicyOf(config: AirlockConfig): SlackPolicy | null {
  return config.slack;
}

/** Returns null if the file has no price for the model. */
export function priceOf(config: AirlockConfig, model: string): ModelPrice | null {
  return config.prices.get(model) ?? null;
}

/** Lists the private registries of every entry that allows repositories, each combination once. */
export function allRegistries(config: AirlockConfig): readonly Registry[] {
  const all = config.repositories
    .filter(({ excluded }) => !excluded)
    .flatMap(({ settings }) => registriesOf(settings.setup?.registries));
  return [...new Map(all.map((registry) => [JSON.stringify(registry), registry])).values()];
}

/** Lists the allowed repositories with a key of their own, in the order and spelling of the file. */
export function namedRepositories(config: AirlockConfig): readonly RepositoryRef[] {
  return config.repositories
    .filter(({ pattern, excluded }) => pattern.exact && !excluded)
    .toSorted((a, b) => a.place - b.place)
    .flatMap(({ pattern }) => parseRepositoryRef(pattern.key) ?? []);
}

/** Lists the images and the toolchains that the configuration names, each once. */
export function machineNames({ defaults, repositories }: AirlockConfig): {
  readonly images: readonly string[];
  readonly toolchains: readonly string[];
} {
  const entries = repositories.filter(({ excluded }) => !excluded);
  const machines = [defaults, ...entries.map(({ settings }) => settings)].map(({ sandbox }) => sandbox);
  return {
    images: [...new Set(machines.flatMap((machine) => machine?.image ?? []))],
    toolchains: [...new Set(machines.flatMap((machine) => machine?.toolchains ?? []))],
  };
}

/** Whether some key with `*` allows repositories. */
export function hasPatterns(config: AirlockConfig): boolean {
  return config.repositories.some(({ pattern, excluded }) => !pattern.exact && !excluded);
}
