/** Which entry of the configuration applies to a repository, and what follows from it. Nothing listed means nothing allowed. */
import { parseRepositoryRef } from '../core/ids.ts';
import type { RepositoryPolicy, RepositoryRefusal } from '../core/policy.ts';
import type { RepositoryRef } from '../core/task.ts';
import { matchesPattern } from './repository-pattern.ts';
import { builtIn, type AirlockConfig, type RepositoryEntry } from './schema.ts';

function entryFor(config: AirlockConfig, repository: RepositoryRef): RepositoryEntry | null {
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
        : { run: settings.setup.run, hosts: (settings.setup.hosts ?? []).map((host) => host.toLowerCase()) },
    limits: {
      minutes: settings.limits?.minutes ?? defaults.limits?.minutes ?? builtIn.minutes,
      tokens: settings.limits?.tokens ?? defaults.limits?.tokens ?? builtIn.tokens,
    },
    draft: settings.draft ?? defaults.draft ?? builtIn.draft,
  };
}

/** The repository that an alias names, as its key is written; null when there is none. Case does not count. */
export function repositoryByAlias(config: AirlockConfig, alias: string): RepositoryRef | null {
  const wanted = alias.trim().toLowerCase();
  const entry = config.repositories.find(({ settings }) => settings.aliases?.includes(wanted) === true);
  return entry === undefined ? null : parseRepositoryRef(entry.pattern.key.replace(/^!/, ''));
}

/** What applies to a repository and why, one fact a line, for a maintainer's terminal. */
export function explainRepository(config: AirlockConfig, repository: RepositoryRef): readonly string[] {
  const name = `${repository.owner}/${repository.name}`;
  const policy = resolveRepository(config, repository);
  const entry = entryFor(config, repository);
  const others = config.repositories.filter(
    (other) => other !== entry && matchesPattern(other.pattern, repository),
  );
  const lines: string[] = [];
  if (entry === null) lines.push(`${name}: refused, because no key under "repositories" matches it`);
  else {
    lines.push(`${name}: ${policy.allowed ? 'allowed' : 'refused'} by "${entry.pattern.key}"`);
    for (const other of others)
      lines.push(`  "${other.pattern.key}" matches too, but is less specific and has no effect`);
  }
  if (!policy.allowed || entry === null) return lines;

  const { settings } = entry;
  const { defaults } = config;
  const from = (own: unknown, shared?: unknown): string => {
    if (own !== undefined) return `from "${entry.pattern.key}"`;
    return shared === undefined ? 'built in' : 'from "defaults"';
  };
  lines.push(
    `  model: ${policy.model} (${from(settings.model, defaults.model)})`,
    `  models for --model: ${policy.models.join(', ')} (${from(settings.models, defaults.models)})`,
    `  effort: ${policy.effort} (${from(settings.effort, defaults.effort)})`,
    `  minutes: ${policy.limits.minutes} (${from(settings.limits?.minutes, defaults.limits?.minutes)})`,
    `  tokens: ${policy.limits.tokens} (${from(settings.limits?.tokens, defaults.limits?.tokens)})`,
    `  draft: ${policy.draft ? 'yes' : 'no'} (${from(settings.draft, defaults.draft)})`,
    `  base branch: ${policy.baseBranch ?? "the repository's default branch"} (${from(settings.baseBranch)})`,
    `  setup: ${policy.setup === null ? 'none' : `${policy.setup.run}, may read from ${policy.setup.hosts.join(', ') || 'no host'}`} (${from(settings.setup)})`,
    `  aliases: ${policy.aliases.join(', ') || 'none'}`,
  );
  return lines;
}
