/** Checks that GITHUB_URL serves git for the App's tokens. Asks first without one, to leak none. */
import type { AirlockConfig } from '../config/schema.ts';
import { namedRepositories } from '../config/resolve-repository.ts';
import type { RepositoryRef } from '../core/task.ts';
import { fail, ok, skip, type Check, type Verdict } from './check.ts';
import type { AsApp } from './github-checks.ts';
import { withReadToken, type TokenInput } from './read-token.ts';
import { ask, type Asked } from './service.ts';

export interface GitHostInput extends TokenInput {
  /** Without a trailing slash. */
  readonly githubUrl: string;
  readonly broken: ReadonlyMap<string, string>;
  /** Null: it is not valid. */
  readonly config: AirlockConfig | null;
  readonly asApp: () => Promise<AsApp | null>;
}

/** Without a token, for the installation, for the token, with the token, to revoke it. */
const requests = 5;

export function gitHostCheck(input: GitHostInput): Check {
  return {
    id: 'github.git',
    deadlineMs: input.timeoutMs * requests + 1000,
    run: async () => await judgeGitHost(input),
  };
}

async function judgeGitHost(input: GitHostInput): Promise<Verdict> {
  const { broken, config, githubUrl } = input;
  if (broken.has('GITHUB_URL')) return skip('GITHUB_URL first');
  const asApp = await input.asApp();
  if (asApp === null) return skip('github.app first');
  if (config === null) return skip('config first');
  const [named] = namedRepositories(config);
  const pattern = config.repositories.find(({ excluded }) => !excluded)?.pattern;
  // GitHub answers the same for a missing and for a hidden repository, so any name below the account serves.
  const repository = named ?? (pattern === undefined ? null : { owner: pattern.owner, name: 'airlock' });
  if (repository === null) return skip('the configuration lists no repository');
  const stranger = await askForRefs(input, repository, null);
  const asked = judgeAnswer(stranger, githubUrl);
  if (asked !== 'wants-token') return asked;
  if (named === undefined)
    return ok(`git is answered at ${githubUrl} (the configuration names no repository to read)`);
  const judged = await withReadToken(input, asApp, named, async (token) => {
    const answer = judgeAnswer(await askForRefs(input, named, token), githubUrl);
    return answer === 'wants-token'
      ? fail(
          `git at ${githubUrl} does not accept the App’s tokens`,
          'GITHUB_URL and GITHUB_API_URL have to be of the same GitHub.',
        )
      : answer;
  });
  return judged ?? skip('github.installed first');
}

async function askForRefs(
  input: GitHostInput,
  { owner, name }: RepositoryRef,
  token: string | null,
): Promise<Asked> {
  const path = `${encodeURIComponent(owner)}/${encodeURIComponent(name)}.git/info/refs?service=git-upload-pack`;
  return await ask(input, `${input.githubUrl}/${path}`, {
    headers: {
      // The server then answers with its capabilities instead of with every branch and tag.
      'git-protocol': 'version=2',
      ...(token === null ? {} : { authorization: `Basic ${btoa(`x-access-token:${token}`)}` }),
    },
  });
}

function judgeAnswer(asked: Asked, githubUrl: string): Verdict | 'wants-token' {
  const correct = 'GITHUB_URL is where repositories are cloned from, such as https://github.com.';
  if (!asked.answered)
    return fail(`git cannot be reached at ${githubUrl}: ${asked.why}`, `Check the network. ${correct}`);
  const { status, headers } = asked;
  if (status === 200 && headers.get('content-type') === 'application/x-git-upload-pack-advertisement')
    return ok(`git is answered at ${githubUrl}`);
  if (status === 401 && /^basic\b/i.test(headers.get('www-authenticate') ?? '')) return 'wants-token';
  if (status >= 300 && status < 400) {
    const to = URL.parse(headers.get('location') ?? '', githubUrl)?.origin ?? null;
    // `github.installed` finds and reports a renamed repository.
    if (to === new URL(githubUrl).origin) return skip('github.installed first');
    return fail(`git at ${githubUrl} leads to ${to ?? 'nowhere'}, which is not followed`, correct);
  }
  if (status >= 500 || status === 429)
    return fail(`git at ${githubUrl} answered ${status}`, `See githubstatus.com, and ask again. ${correct}`);
  return fail(`the server at ${githubUrl} does not serve git to the App (status ${status})`, correct);
}
