/** Checks the App and its key, permissions and events, and where it is installed. Only reads. */
import * as z from 'zod';
import type { AirlockConfig } from '../config/schema.ts';
import { allRegistries, namedRepositories } from '../config/resolve-repository.ts';
import { parseRepositoryRef } from '../core/ids.ts';
import type { RepositoryRef } from '../core/task.ts';
import { apiVersionHeader } from '../github/client.ts';
import { createAppTokens } from '../github/app-auth.ts';
import { boundedAll } from '../lib/bounded-all.ts';
import {
  judgeEvents,
  judgeLacking,
  judgePermissions,
  lackingOptional,
  lackingPermissions,
  type Lacking,
} from './app-needs.ts';
import { fail, ok, once, skip, type Check, type Verdict } from './check.ts';
import { clockIsWrong, type Clock } from './clock-check.ts';
import { judgeMention } from './mention-check.ts';
import { ask, type Asked, type Service } from './service.ts';

/** Repositories that are checked one by one. For more than that, the first task there finds out. */
const maxRepositories = 100;
const askedAtOnce = 4;

const permissionsSchema = z.record(z.string(), z.string());
const appSchema = z.object({
  id: z.number(),
  slug: z.string(),
  html_url: z.string(),
  permissions: permissionsSchema,
  events: z.array(z.string()),
});
type App = z.infer<typeof appSchema>;
const installationSchema = z.object({
  account: z.object({ login: z.string() }).nullish(),
  suspended_at: z.string().nullish(),
  permissions: permissionsSchema,
});
type Installation = z.infer<typeof installationSchema>;
const refusalSchema = z.object({ message: z.string() });

export interface GithubInput extends Service {
  readonly appId: number;
  readonly privateKey: string;
  readonly apiUrl: string;
  readonly now: () => number;
  /** Names of settings that are missing or malformed, with the reason. */
  readonly broken: ReadonlyMap<string, string>;
  /** Null: it is not valid. */
  readonly config: AirlockConfig | null;
  readonly clock: () => Promise<Clock>;
}

/** The App as GitHub shows it to itself, or why it could not be asked. */
export type AppAnswer =
  | { readonly app: App; readonly asApp: AsApp }
  | { readonly app: null; readonly verdict: Verdict };
/** Calls the API with the App's own token. */
export type AsApp = (path: string) => Promise<Asked>;

export function githubApp(input: GithubInput): () => Promise<AppAnswer> {
  return once(async () => {
    for (const name of ['GITHUB_APP_ID', 'GITHUB_APP_PRIVATE_KEY'])
      if (input.broken.has(name)) return { app: null, verdict: skip(`${name} first`) };
    let jwt;
    try {
      jwt = await createAppTokens(input).appJwt();
    } catch (error) {
      const why = error instanceof Error ? error.message : 'it cannot sign';
      return { app: null, verdict: fail(why, 'Copy the whole .pem file that GitHub gave you.') };
    }
    const asApp: AsApp = async (path) =>
      await ask(input, `${input.apiUrl}${path}`, {
        headers: {
          ...apiVersionHeader,
          authorization: `Bearer ${jwt}`,
          accept: 'application/vnd.github+json',
        },
      });
    const asked = await asApp('/app');
    const parsed = asked.answered && asked.status === 200 ? appSchema.safeParse(asked.body) : null;
    if (parsed?.success === true) return { app: parsed.data, asApp };
    return { app: null, verdict: await whyNoApp(asked, input) };
  });
}

async function whyNoApp(asked: Asked, input: GithubInput): Promise<Verdict> {
  const { apiUrl, appId } = input;
  if (!asked.answered)
    return fail(
      `GitHub cannot be reached at ${apiUrl}: ${asked.why}`,
      'Check the network, githubstatus.com, GITHUB_URL and GITHUB_API_URL.',
    );
  const message = refusalSchema.safeParse(asked.body).data?.message ?? '';
  if (asked.status === 404)
    return fail(
      `GitHub has no App with the id ${appId}`,
      'GITHUB_APP_ID is the “App ID” at the top of the App’s settings page, of the App whose key this is.',
    );
  if (asked.status === 401 && clockIsWrong(await input.clock()))
    return skip('the clock first, as GitHub refuses what is signed at another time');
  if (asked.status === 401)
    return fail(
      `GitHub does not accept the signature: GITHUB_APP_PRIVATE_KEY is not a key of the App ${appId}, or was deleted there`,
      'Generate a private key on that App’s settings page, or correct GITHUB_APP_ID.',
    );
  return fail(
    `GitHub answered GET /app with ${asked.status}${message === '' ? '' : `: ${message.slice(0, 200)}`}`,
    'Check githubstatus.com, and that GITHUB_API_URL is GitHub’s API.',
  );
}

export function githubChecks(input: GithubInput, appOf: () => Promise<AppAnswer>): Check[] {
  const withApp = async (look: (app: App, asApp: AsApp) => Verdict | Promise<Verdict>): Promise<Verdict> => {
    const answer = await appOf();
    return answer.app === null ? skip('github.app first') : await look(answer.app, answer.asApp);
  };
  return [
    {
      id: 'github.app',
      run: async () => {
        const answer = await appOf();
        if (answer.app === null) return answer.verdict;
        return ok(`the App “${answer.app.slug}” (${answer.app.id}) accepts the key`);
      },
    },
    {
      id: 'github.permissions',
      run: async () => await withApp((app) => judgePermissions(app, usedPermissions(input.config))),
    },
    { id: 'github.events', run: async () => await withApp(judgeEvents) },
    {
      id: 'github.mention',
      run: async () =>
        await withApp(async ({ slug }) => {
          if (input.config === null) return skip('config first');
          const { mention } = input.config.github;
          const headers = { ...apiVersionHeader, accept: 'application/vnd.github+json' };
          const askAccount = async (login: string) =>
            await ask(input, `${input.apiUrl}/users/${encodeURIComponent(login)}`, { headers });
          return await judgeMention(mention, slug, askAccount);
        }),
    },
    {
      id: 'github.installed',
      run: async () =>
        await withApp(async (app, asApp) =>
          input.config === null ? skip('config first') : await judgeInstalled(input.config, app, asApp),
        ),
    },
  ];
}

/** Optional permissions that the configuration makes use of. A team is written `org/team`. */
function usedPermissions(config: AirlockConfig | null): Readonly<Record<string, string>> {
  if (config === null) return {};
  const all = [config.defaults, ...config.repositories.map(({ settings }) => settings)];
  const namesTeams = all.some(({ reviewers }) => reviewers?.some((name) => name.includes('/')) === true);
  const readsPackages = allRegistries(config).some(({ secret }) => secret === null);
  return { ...(namesTeams ? { members: 'read' } : {}), ...(readsPackages ? { packages: 'read' } : {}) };
}

type Place = { readonly name: string; readonly asked: Asked };

async function judgeInstalled(config: AirlockConfig, app: App, asApp: AsApp): Promise<Verdict> {
  const paths = placesOf(config);
  if (paths.size === 0) return skip('the configuration lists no repository');
  const some = [...paths].slice(0, maxRepositories);
  const places = await boundedAll(some, askedAtOnce, async ([name, path]): Promise<Place> => ({
    name,
    asked: await asApp(path),
  }));
  const problems = new Map<string, string[]>();
  const waiting = new Map<string, Lacking>();
  const appLacks = new Set(lackingPermissions(app.permissions).map(({ name }) => name));
  for (const { name, asked } of places) {
    const found = installationProblem(asked, app, appLacks);
    const problem = typeof found === 'string' ? found : notAccepted(found.filter(isVital));
    if (problem !== '') problems.set(problem, [...(problems.get(problem) ?? []), name]);
    else if (typeof found !== 'string')
      for (const { name: permission, without } of found)
        waiting.set(`${permission} ${name}`, { name: `${permission} on ${name}`, without });
  }
  const remedy =
    'Open the App’s page → Install App → the account: choose the repositories, accept the pending permissions; or take them out of the configuration.';
  if (problems.size > 0)
    return fail([...problems].map(([problem, names]) => `${problem} ${names.join(', ')}`).join('; '), remedy);
  const lacks = judgeLacking('not accepted yet:', [...waiting.values()], remedy);
  if (lacks !== null) return lacks;
  const more = paths.size > some.length ? `; ${paths.size - some.length} more were not asked about` : '';
  return ok(`installed on ${some.map(([name]) => name).join(', ')}${more}`);
}

/** Name → the API path that says how the App is installed there; for a pattern, its owner's. */
function placesOf(config: AirlockConfig): Map<string, string> {
  const places = new Map<string, string>();
  const add = ({ owner, name }: RepositoryRef) =>
    places.set(
      `${owner}/${name}`,
      `/repos/${encodeURIComponent(owner)}/${encodeURIComponent(name)}/installation`,
    );
  for (const repository of namedRepositories(config)) add(repository);
  for (const { pattern, excluded, settings } of config.repositories) {
    if (excluded) continue;
    for (const other of settings.alsoRead ?? []) {
      const repository = parseRepositoryRef(other);
      if (repository !== null) add(repository);
    }
    // This path answers for organizations as well as for people.
    if (!pattern.exact)
      places.set(`the account ${pattern.owner}`, `/users/${encodeURIComponent(pattern.owner)}/installation`);
  }
  return places;
}

const isVital = ({ without }: Lacking): boolean => without === null;
const notAccepted = (lacking: readonly Lacking[]): string =>
  lacking.length === 0 ? '' : `${lacking.map(({ name }) => name).join(', ')} not accepted yet on`;

/** A problem, or the permissions that wait to be accepted, except those that the App itself lacks. */
function installationProblem(
  asked: Asked,
  app: App,
  appLacks: ReadonlySet<string>,
): string | readonly Lacking[] {
  if (!asked.answered) return `GitHub did not answer (${asked.why}) about`;
  if (asked.status === 404) return 'not installed on';
  if (asked.status >= 300 && asked.status < 400)
    return 'renamed or moved; correct the name in the configuration:';
  const parsed = installationSchema.safeParse(asked.body);
  if (asked.status !== 200 || !parsed.success) return `GitHub answered ${asked.status} about`;
  const installation: Installation = parsed.data;
  if (installation.suspended_at != null) return 'the installation is suspended on';
  return [
    ...lackingPermissions(installation.permissions).filter(({ name }) => !appLacks.has(name)),
    ...lackingOptional(app.permissions, installation.permissions),
  ];
}
