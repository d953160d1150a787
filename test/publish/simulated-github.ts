/** A simulated GitHub with one repository, and a task whose change was made in a real clone. */
import { generateKeyPairSync } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { startGithubSimulator } from '../../simulators/github/simulator.ts';
import type {
  CreatedRepository,
  FileContent,
  GithubSimulator,
  NewRepository,
  Permissions,
} from '../../simulators/github/contract.ts';
import type { ChangeSet, MeasuredChange } from '../../src/core/change-set.ts';
import { closedPolicy } from '../../src/core/policy.ts';
import type { GateInput, PublishInput } from '../../src/core/ports/publication.ts';
import { htmlEvents } from '../fixtures/read-html.ts';
import { smallMeasure } from '../fixtures/sample-measure.ts';
import { publicationOf } from '../fixtures/sample-publication.ts';
import { authorization } from '../fixtures/sample-task.ts';
import { emptyReceipt } from '../../src/core/grant.ts';
import type { RepositoryFacts, RoutedRequest } from '../../src/core/task.ts';
import { createAppTokens, type AppTokens } from '../../src/github/app-auth.ts';
import type { ReadHtml } from '../../src/github/html-events.ts';
import { parseChangeLines } from '../../src/publish/change-lines.ts';
import {
  cloneWorkspace,
  jobFor,
  runScript,
  temporaryFolder,
  type OnEnd,
  type Workspace,
} from '../container/sandbox-scripts.ts';

const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const privateKey = keys.privateKey.export({ type: 'pkcs1', format: 'pem' });
const publicKeyPem = keys.publicKey.export({ type: 'spki', format: 'pem' });
export const appId = 4242;

export async function simulatedGithub(
  permissions?: Permissions,
  onEnd: OnEnd = onTestFinished,
): Promise<GithubSimulator> {
  const simulator = await startGithubSimulator({
    stateDir: temporaryFolder(onEnd),
    app: { id: appId, slug: 'airlock', publicKeyPem, ...(permissions === undefined ? {} : { permissions }) },
    webhook: { url: null, secret: 'not used here at all' },
  });
  onEnd(async () => await simulator.close());
  return simulator;
}

/** The dependencies of one process: its own token cache, and a `fetch` that a test can break. */
export function ownProcess(
  simulator: Pick<GithubSimulator, 'apiUrl' | 'url'>,
  fetch_: typeof fetch = fetch,
): {
  apiUrl: string;
  fetch: typeof fetch;
  now: () => number;
  retryDelaysMs: readonly number[];
  tokens: AppTokens;
  readHtml: ReadHtml;
  webUrl: string;
} {
  const api = { apiUrl: simulator.apiUrl, fetch: fetch_, now: Date.now, retryDelaysMs: [1, 1] };
  return {
    ...api,
    tokens: createAppTokens({ ...api, appId, privateKey }),
    readHtml: async (html) => htmlEvents(html),
    webUrl: simulator.url,
  };
}

export const baseFiles: Record<string, FileContent> = {
  'README.md': '# Split\n',
  'src/split.js': 'export const split = (a, b) => a / b;\n',
  'bin/run.sh': { content: '#!/bin/sh\n', mode: '100644' },
  'docs/old.md': 'old\n',
  'logo.png': { content: new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 255]) },
  'data/a/b.txt': 'deep\n',
  link: { content: 'README.md', mode: '120000' },
  '.gitattributes': '* text=auto\n*.crlf -text\n',
};

export function factsOf(repository: CreatedRepository): RepositoryFacts {
  if (repository.installationId === null) throw new Error('the App is not installed there');
  return {
    owner: repository.owner,
    name: repository.name,
    repositoryId: repository.id,
    installationId: repository.installationId,
    defaultBranch: 'main',
    private: true,
  };
}

export function taskRequest(changes: Partial<RoutedRequest> = {}): RoutedRequest {
  return {
    taskId: 'gh-1-c77',
    shortId: '0a1b2c3d',
    acceptedAt: '2026-11-20T10:00:00.000Z',
    repository: { owner: 'acme', name: 'split' },
    trigger: {
      kind: 'github',
      event: 'issue_comment',
      installationId: 1,
      repositoryId: 1,
      issueNumber: 7,
      mention: 'airlock',
      onPullRequest: false,
      commentId: 77,
      triggeredAt: '2026-11-20T10:00:00Z',
    },
    requester: { login: 'mona', id: 583231 },
    ask: { kind: 'run' },
    instruction: 'fix it',
    options: {},
    ...changes,
  };
}

export function publishInput(
  facts: RepositoryFacts,
  change: ChangeSet,
  changes: Partial<PublishInput> = {},
): PublishInput {
  return publicationOf(
    {
      request: taskRequest(),
      ...authorization,
      model: 'gpt-test',
      facts,
      change: { ...change, measure: { ...smallMeasure, insertions: 4, deletions: 2 } },
      answer: { title: 'Fix the rounding in split()', summary: 'Rounds half up.', valid: true },
      ...changes,
    },
    {
      usage: { inputTokens: 1000, cachedInputTokens: 0, outputTokens: 200, totalTokens: 1200 },
      commands: [],
      receipt: emptyReceipt,
      commentsLeftOut: 0,
      elapsedMs: 61_000,
      taskUrl: null,
      askedUrl: null,
    },
  );
}

export const gateInput = (change: MeasuredChange): GateInput => ({
  change,
  words: { title: 'Fix it', summary: 'Rounds half up.', valid: true },
  policy: closedPolicy.gate,
});

/** Runs the collector and the parser on a working tree. */
async function collected(workspace: Workspace): Promise<ChangeSet> {
  const run = await runScript('collect', jobFor(workspace));
  const parsed = parseChangeLines(run.stdout, workspace.base);
  if (!parsed.ok) throw new Error(parsed.reason.message);
  return parsed.change;
}

/** Fails like a killed process: makes no further call and no retry. */
export function dyingFetch(
  lastCall: number,
  when: 'before' | 'after',
): { fetch: typeof fetch; died: () => boolean } {
  let calls = 0;
  const die = (): never => {
    throw Object.assign(new Error('killed'), { name: 'AbortError' });
  };
  return {
    died: () => calls >= lastCall,
    fetch: async (input, init) => {
      calls += 1;
      if (calls > lastCall || (calls === lastCall && when === 'before')) die();
      const response = await fetch(input, init);
      return calls >= lastCall ? die() : response;
    },
  };
}

/** Right before the first matching call: an earlier look at GitHub cannot have seen it. */
export function beforeCall(method: string, path: RegExp, happens: () => Promise<unknown>): typeof fetch {
  let happened = false;
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (!happened && init?.method === method && path.test(url.pathname)) {
      happened = true;
      await happens();
    }
    return await fetch(input, init);
  };
}

export type Edit = (directory: string) => void;
const collectedChanges = new Map<Edit, ChangeSet>();

/** As the collector finds it. Once per edit: on the same files only the base differs. */
export async function changeBy(edit: Edit, gitDir: string, base: string): Promise<ChangeSet> {
  const known = collectedChanges.get(edit);
  if (known !== undefined) return { ...known, base };
  const workspace = await cloneWorkspace(gitDir, base);
  edit(workspace.directory);
  const change = await collected(workspace);
  collectedChanges.set(edit, change);
  return change;
}

/** Creates a repository with `baseFiles`, and the change that `edit` makes to it. */
export async function changedRepository(
  simulator: GithubSimulator,
  edit: Edit,
  settings: Partial<NewRepository> = {},
): Promise<{ repository: CreatedRepository; facts: RepositoryFacts; change: ChangeSet }> {
  const repository = await simulator.createRepository({
    owner: 'acme',
    name: 'split',
    files: baseFiles,
    ...settings,
  });
  const change = await changeBy(edit, repository.gitDir, repository.headSha);
  return { repository, facts: factsOf(repository), change };
}
