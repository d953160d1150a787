/** Changes the text of `airlock.config.jsonc`. Comments and every other entry stay as they are. Pure. */
import { applyEdits, modify, type JSONPath } from 'jsonc-parser';
import { formatProblem, loadConfig } from '../../src/config/load-config.ts';
import { resolveRepository } from '../../src/config/resolve-repository.ts';
import { nameOf } from './refusal.ts';
import type { AirlockConfig } from '../../src/config/schema.ts';
import type { RepositoryRef } from '../../src/core/task.ts';

export type ConfigChange = readonly [path: JSONPath, value: unknown];

/** What is written where no file is. */
export const emptyConfig = '{\n  "$schema": "./airlock.schema.json",\n  "repositories": {}\n}\n';

interface Unreadable {
  readonly ok: false;
  /** Each mistake with its place. */
  readonly problem: string;
}

/** What the text says; `problem` if it is not a valid configuration. */
export function readConfigText(
  text: string,
): { readonly ok: true; readonly config: AirlockConfig } | Unreadable {
  const read = loadConfig(text, 'airlock.config.jsonc');
  if (read.ok) return { ok: true, config: read.config };
  return { ok: false, problem: read.problems.map((problem) => formatProblem(problem)).join('; ') };
}

/** The new text; `problem` if the old one or the result is not a valid configuration. */
export function changeConfig(
  text: string,
  changes: readonly ConfigChange[],
): { readonly ok: true; readonly text: string } | Unreadable {
  const before = readConfigText(text);
  if (!before.ok) return before;
  const formattingOptions = { insertSpaces: true, tabSize: 2, eol: '\n' };
  const changed = changes.reduce(
    (current, [path, value]) => applyEdits(current, modify(current, [...path], value, { formattingOptions })),
    text,
  );
  const after = readConfigText(changed);
  return after.ok ? { ok: true, text: changed } : after;
}

/** An entry of its own for each repository that no entry allows yet. */
export function allowing(config: AirlockConfig, wanted: readonly RepositoryRef[]): readonly ConfigChange[] {
  return wanted
    .filter((repository) => !resolveRepository(config, repository).allowed)
    .map((repository) => [['repositories', nameOf(repository)], {}]);
}

/** Makes a repository the channel's default, and lets the channel's people use it there. */
export function channelDefault(
  config: AirlockConfig,
  channelId: string,
  repository: RepositoryRef,
): readonly ConfigChange[] {
  const policy = resolveRepository(config, repository);
  const access = policy.allowed ? policy.slack : { kind: 'none' as const };
  const entry = config.repositories.find(
    ({ pattern }) => pattern.exact && pattern.key.toLowerCase() === nameOf(repository).toLowerCase(),
  );
  const key = entry?.pattern.key ?? nameOf(repository);
  const slack: JSONPath = ['repositories', key, 'slack'];
  const set: ConfigChange = [['slack', 'channels', channelId], nameOf(repository)];
  if (access.kind === 'workspace') return [set];
  if (access.kind === 'none') return [[slack, { channels: [channelId] }], set];
  if (access.channels === null || access.channels.includes(channelId)) return [set];
  return [
    [
      [...slack, 'channels'],
      [...access.channels, channelId],
    ],
    set,
  ];
}
