/** Explains the policy of one repository and the entry that decides it, for the maintainer's terminal. */
import type { Budget, BudgetCaps, ModelPrice, Person, SetupPolicy, SlackAccess } from '../core/policy.ts';
import type { GatePolicy } from '../core/gate-policy.ts';
import { gateRules } from '../core/gate-rules.ts';
import { sameRepository } from '../core/ids.ts';
import type { RepositoryRef } from '../core/task.ts';
import { matchesPattern } from './repository-pattern.ts';
import { entryFor, priceOf, resolveRepository } from './resolve-repository.ts';
import type { AirlockConfig } from './schema.ts';

/** Returns one fact per line. */
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
    `  branch prefix: ${policy.branchPrefix} (${from(settings.branchPrefix, defaults.branchPrefix)})`,
    `  sign-off: ${personWords(policy.commit.signOff, 'none')} (${from(settings.commit?.signOff, defaults.commit?.signOff)})`,
    `  author of commits: ${personWords(policy.commit.author, 'the GitHub App, signed by GitHub')} (${from(settings.commit?.author, defaults.commit?.author)})`,
    `  labels: ${policy.labels.join(', ') || 'none'} (${from(settings.labels, defaults.labels)})`,
    `  reviewers: ${policy.reviewers.join(', ') || 'only the requester'} (${from(settings.reviewers, defaults.reviewers)})`,
    `  budget a month: ${budgetWords(policy.budget)} (${from(settings.budget, defaults.budget)}); all repositories: ${budgetWords(config.budget)}`,
    `  approval of held changes: ${policy.approval === 'anyone' ? 'by anyone who may use the repository' : 'by a second person'} (${from(settings.approval, defaults.approval)})`,
    `  protected paths: ${policy.gate.protected.join(', ') || 'none'} (${from(settings.gate?.protected, defaults.gate?.protected)})`,
    ...gateLines(policy.gate).map(
      (line) => `  ${line} (${from(settings.gate?.allow, defaults.gate?.allow)})`,
    ),
    `  base branch: ${policy.baseBranch ?? "the repository's default branch"} (${from(settings.baseBranch)})`,
    `  setup: ${setupWords(policy.setup)} (${from(settings.setup)})`,
    ...registryLines(policy.setup),
    `  image on Cloudflare: ${policy.sandbox.image ?? 'the default'} (${from(settings.sandbox?.image, defaults.sandbox?.image)})`,
    `  instance type on Cloudflare: ${policy.sandbox.instance ?? 'the default'} (${from(settings.sandbox?.instance, defaults.sandbox?.instance)})`,
    `  toolchains on one machine: ${policy.sandbox.toolchains.join(', ') || 'none'} (${from(settings.sandbox?.toolchains, defaults.sandbox?.toolchains)})`,
    `  also reads: ${policy.alsoRead.map((other) => `${other.owner}/${other.name}`).join(', ') || 'no other repository'} (${from(settings.alsoRead)})`,
    `  Git LFS: ${policy.lfs ? 'fetched with the clone' : 'pointers only'} (${from(settings.lfs)})`,
    `  extra hosts while Codex runs: ${policy.extraHosts.join(', ') || 'none'} (${from(settings.extraHosts)})`,
    `  aliases: ${policy.aliases.join(', ') || 'none'}`,
    `  at the same time: ${slotWords(config)}`,
    `  kept after the end: ${config.retentionDays} days`,
    `  from Slack: ${slackWords(config, policy.slack)} (${from(settings.slack, defaults.slack)})`,
    `  default of the Slack channels: ${channelsWithDefault(config, repository).join(', ') || 'none'}`,
    `  price of ${policy.model}: ${priceWords(priceOf(config, policy.model))}`,
  );
  return lines;
}

function budgetWords({ perPerson, ...all }: Budget): string {
  const words = ({ tokens, dollars }: BudgetCaps, whose: string): string[] => [
    ...(tokens === null ? [] : [`${tokens} tokens${whose}`]),
    ...(dollars === null ? [] : [`$${dollars}${whose}`]),
  ];
  return [...words(all, ''), ...words(perPerson, ' a person')].join(', ') || 'no cap';
}

/** Lists the ids of the channels that have the repository as their default. */
export function channelsWithDefault(config: AirlockConfig, repository: RepositoryRef): readonly string[] {
  return [...(config.slack?.channelDefaults ?? [])]
    .filter(([, named]) => sameRepository(named, repository))
    .map(([channelId]) => channelId);
}

function slackWords({ slack }: AirlockConfig, access: SlackAccess): string {
  if (slack === null || access.kind === 'none') return 'nobody';
  const everybody = `every full member of ${slack.team}`;
  if (access.kind === 'workspace') return `${everybody}, from everywhere`;
  const { people, channels } = access;
  const groups = people?.groups.map((group) => `the members of ${group}`) ?? [];
  const who = people === null ? everybody : [...people.users, ...groups].join(', ');
  return `${who}; ${channels === null ? 'from everywhere' : `only in ${channels.join(', ')}`}`;
}

function setupWords(setup: SetupPolicy | null): string {
  if (setup === null) return 'none';
  const needed = setup.optional ? ', may fail' : '';
  const stays = setup.services ? ', what it starts stays' : '';
  const hosts = setup.hosts.join(', ') || (setup.registries.length > 0 ? 'no other host' : 'no host');
  return `${setup.run}, may read from ${hosts}${needed}${stays}`;
}

/** A line for each, with the name of its secret. */
function registryLines(setup: SetupPolicy | null): readonly string[] {
  return (setup?.registries ?? []).map(({ host, pathPrefix, scheme, secret, blobHosts }) => {
    const how =
      scheme === 'github-app'
        ? 'a token of the App'
        : `${secret} as ${typeof scheme === 'string' ? scheme : scheme.header}`;
    const blobs = blobHosts.length === 0 ? '' : `, follows redirects to ${blobHosts.join(', ')}`;
    return `  setup's private registry: ${host}${pathPrefix === '' ? ', every path' : `${pathPrefix}/`}, with ${how}${blobs}`;
  });
}

function personWords(person: Person | null, otherwise: string): string {
  return person === null ? otherwise : `${person.name} <${person.email}>`;
}

/** Each rule of the gate with its effect. */
function gateLines({ allow }: GatePolicy): readonly string[] {
  const rules = gateRules.map((rule) => {
    const allowed = allow.filter(({ code }) => code === rule.code);
    const off = allowed.some(({ glob }) => glob === null);
    const globs = allowed.flatMap(({ glob }) => glob ?? []);
    const name = globs.length === 0 ? rule.code : `${rule.code} (not for ${globs.join(', ')})`;
    return { effect: off ? 'off' : rule.effect, name: off ? rule.code : name };
  });
  const unmarked = allow.flatMap(({ code, glob }) => (code === null && glob !== null ? [glob] : []));
  const line = (effect: (typeof rules)[number]['effect'], words: string, more: readonly string[] = []) => {
    const names = rules.filter((rule) => rule.effect === effect).map(({ name }) => name);
    return `${words}: ${[...names, ...more].join(', ') || 'nothing'}`;
  };
  return [
    line('hold-always', 'gate holds for a person to commit'),
    line('hold', 'gate holds until somebody approves'),
    line('mark', 'gate marks'),
    line(
      'off',
      'gate leaves alone',
      unmarked.map((glob) => `marks of ${glob}`),
    ),
  ];
}

function slotWords({ slots: { total, perRepository, perRequester } }: AirlockConfig): string {
  const most = Math.min(total, perRepository);
  const tasks = most === 1 ? '1 task' : `${most} tasks`;
  return `${tasks} of this repository, ${Math.min(total, perRequester)} of one person, ${total} in all`;
}

function priceWords(price: ModelPrice | null): string {
  if (price === null) return 'not in "prices", so no cost is shown';
  return `$${price.input} input, $${price.cachedInput} cached input, $${price.output} output, per million tokens`;
}
