/** Checks the Slack parts against each other: access without a workspace would silently never work. */
import type { Node } from 'jsonc-parser';
import type * as z from 'zod';
import { parseRepositoryRef } from '../core/ids.ts';
import type { SlackAccess, SlackPolicy } from '../core/policy.ts';
import type { RepositoryRef } from '../core/task.ts';
import { nearest } from '../lib/nearest.ts';
import { nodeAt, type Report } from './problem.ts';
import { repositoryByAlias, resolveRepository } from './resolve-repository.ts';
import type { AirlockConfig } from './schema.ts';
import type { slackSchema } from './slack-schema.ts';

type Written = z.infer<typeof slackSchema>;

/** `config` is the rest of the file, already read. */
export function readSlack(
  root: Node,
  written: Written | undefined,
  config: AirlockConfig,
  report: Report,
): SlackPolicy | null {
  if (written === undefined) {
    refuseAccessWithoutTeam(root, config, report);
    return null;
  }
  return {
    team: written.team,
    channelDefaults: readChannels(root, written.channels ?? {}, config, report),
    githubLogins: new Map(Object.entries(written.people ?? {})),
    replies: written.replies ?? 'all',
  };
}

function refuseAccessWithoutTeam(root: Node, config: AirlockConfig, report: Report): void {
  const refuse = (path: readonly string[]): void =>
    report(
      nodeAt(root, path),
      path,
      'expected "slack.team" at the top of the file: without it Airlock serves no workspace',
      'add "slack": { "team": "T0123456789" } with the id of your workspace',
    );
  const opens = (access: unknown): boolean => access !== undefined && access !== 'none';
  if (opens(config.defaults.slack)) refuse(['defaults', 'slack']);
  for (const { pattern, settings } of config.repositories)
    if (opens(settings.slack)) refuse(['repositories', pattern.key, 'slack']);
}

function readChannels(
  root: Node,
  channels: Readonly<Record<string, string>>,
  config: AirlockConfig,
  report: Report,
): ReadonlyMap<string, RepositoryRef> {
  const defaults = new Map<string, RepositoryRef>();
  for (const [channelId, name] of Object.entries(channels)) {
    const path = ['slack', 'channels', channelId];
    const node = nodeAt(root, path);
    const repository = repositoryByAlias(config, name) ?? parseRepositoryRef(name);
    if (repository === null) {
      const near = nearest(
        name,
        config.repositories.flatMap(({ settings }) => settings.aliases ?? []),
      );
      const message = `expected "owner/name" or an alias from "repositories", got ${JSON.stringify(name)}`;
      report(node, path, message, near === null ? null : `did you mean "${near}"?`);
      continue;
    }
    const policy = resolveRepository(config, repository);
    const full = `${repository.owner}/${repository.name}`;
    if (!policy.allowed) {
      const message = `expected a repository that "repositories" allows, and "${full}" is not one`;
      report(node, path, message, `add "${full}" there, or remove the channel`);
    } else if (!worksIn(policy.slack, channelId)) {
      const message = `expected a repository that may be used from this channel, and "${full}" may not`;
      report(node, path, message, `allow it with "slack" in its entry "${policy.matchedBy}"`);
    } else defaults.set(channelId, repository);
  }
  return defaults;
}

/** Whether the access rule can ever allow a person in this channel. */
function worksIn(access: SlackAccess, channelId: string): boolean {
  if (access.kind === 'none') return false;
  return access.kind === 'workspace' || access.channels === null || access.channels.includes(channelId);
}
