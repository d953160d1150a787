/** Which entry of the configuration applies to a repository, and what follows from it. Nothing listed means nothing allowed. */
import { parseRepositoryRef } from '../core/ids.ts';
import type { ModelPrice, RepositoryPolicy, RepositoryRefusal, SlackPolicy } from '../core/policy.ts';
import type { RepositoryRef } from '../core/task.ts';
import { matchesPattern } from './repository-pattern.ts';
import { builtIn, type AirlockConfig, type RepositoryEntry } from './schema.ts';
import { slackAccessOf } from './slack-schema.ts';

/** The most specific entry that matches, which alone applies. */
export function entryFor(config: AirlockConfig, repository: RepositoryRef): RepositoryEntry | null {
  return config.repositories.find((entry) => matchesPattern(entry.pattern, repository)) ?? null;
}

/** The reasons are written for people who may write to the repository; `authorize` keeps them from others. */
export function resolveRepository(
  config: AirlockConfig,
  repository: RepositoryRef,
): RepositoryPolicy | RepositoryRefusal {
  const name = `${repository.owner}/${repository.name}`;
  const entry = entryFor(config, repository);
  if (entry === null) {
    const message = `\`${name}\` is not listed in \`${config.fileName}\`. Whoever runs this bot can add it there under \`repositories\`.`;
    return { allowed: false, reason: { code: 'repository-not-listed', message } };
  }
  if (entry.excluded) {
    const message = `\`${name}\` is switched off by the entry \`${entry.pattern.key}\` in \`${config.fileName}\`. Whoever runs this bot can change that.`;
    return { allowed: false, reason: { code: 'repository-excluded', message } };
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
            optional: settings.setup.optional ?? false,
          },
    alsoRead: (settings.alsoRead ?? []).flatMap((name) => parseRepositoryRef(name) ?? []),
    lfs: settings.lfs ?? false,
    extraHosts: hostNames(settings.extraHosts),
    limits: {
      minutes: settings.limits?.minutes ?? defaults.limits?.minutes ?? builtIn.minutes,
      tokens: settings.limits?.tokens ?? defaults.limits?.tokens ?? builtIn.tokens,
    },
    draft: settings.draft ?? defaults.draft ?? builtIn.draft,
    branchPrefix: settings.branchPrefix ?? defaults.branchPrefix ?? builtIn.branchPrefix,
    slack: slackAccessOf(settings.slack ?? defaults.slack),
  };
}

const hostNames = (names: readonly string[] = []): string[] => [
  ...new Set(names.map((host) => host.toLowerCase())),
];

/** The repository that an alias names, as its key is written; null when there is none. Case does not count. */
export function repositoryByAlias(config: AirlockConfig, alias: string): RepositoryRef | null {
  const wanted = alias.trim().toLowerCase();
  const entry = config.repositories.find(({ settings }) => settings.aliases?.includes(wanted) === true);
  return entry === undefined ? null : parseRepositoryRef(entry.pattern.key.replace(/^!/, ''));
}

/** What tasks from Slack need to know; null when the file has no `slack`, so that nobody uses it from there. */
export function slackPolicyOf(config: AirlockConfig): SlackPolicy | null {
  return config.slack;
}

/** null: the file has no price for the model. */
export function priceOf(config: AirlockConfig, model: string): ModelPrice | null {
  return config.prices.get(model) ?? null;
}

/** The repositories that have a key of their own and are allowed, in the order and the letters of the file. */
export function namedRepositories(config: AirlockConfig): readonly RepositoryRef[] {
  return config.repositories
    .filter(({ pattern, excluded }) => pattern.exact && !excluded)
    .toSorted((a, b) => a.place - b.place)
    .flatMap(({ pattern }) => parseRepositoryRef(pattern.key) ?? []);
}

/** Whether a key with `*` allows repositories. */
export function hasPatterns(config: AirlockConfig): boolean {
  return config.repositories.some(({ pattern, excluded }) => !pattern.exact && !excluded);
}
