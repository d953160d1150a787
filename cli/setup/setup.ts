/**
 * Decides where the set-up is, and performs its steps; the page and the terminal only ask and show. Each step
 * is tried before it is stored, so that a later run continues where an earlier one ended.
 */
import { z } from 'zod';
import { namedRepositories, resolveRepository } from '../../src/config/resolve-repository.ts';
import { parseRepositoryRef } from '../../src/core/ids.ts';
import type { RepositoryRef } from '../../src/core/task.ts';
import { githubApp } from '../../src/doctor/github-checks.ts';
import { ask } from '../../src/doctor/service.ts';
import { readSettings } from '../../src/doctor/settings-checks.ts';
import { createAppTokens } from '../../src/github/app-auth.ts';
import { listInstalledRepositories } from '../../src/github/installed-repositories.ts';
import { AppSteps } from './app-steps.ts';
import { allowing, changeConfig, type ConfigChange } from './config-text.ts';
import { refuse, type Refusal } from './refusal.ts';
import { refusingToWrite, type Store } from './store.ts';
import { Trial } from './trial.ts';

export interface SetupDeps {
  readonly store: Store;
  readonly fetch: typeof fetch;
  readonly now: () => number;
  /** Where webhooks and Slack reach the bot, without a trailing slash; null: it needs no public address. */
  readonly publicUrl: string | null;
  /** Whether Slack is reached over Socket Mode, which works on one machine only. */
  readonly socketMode: boolean;
}

type Step = 'app' | 'installation' | 'model' | 'repositories' | 'slack' | 'proof';

interface AppLink {
  readonly slug: string;
  readonly page: string;
}

type FoundApp =
  | { readonly step: null; readonly app: AppLink; readonly refusal: null }
  | { readonly step: 'app' | 'installation'; readonly app: AppLink | null; readonly refusal: Refusal | null };

export interface SetupState {
  /** The first that is not done. */
  readonly step: Step;
  readonly githubUrl: string;
  readonly app: AppLink | null;
  /** Whom the key belongs to and where it is sent; empty for the usual. */
  readonly model: { readonly baseUrl: string; readonly organization: string; readonly project: string };
  /** Repositories that the configuration names and allows. */
  readonly allowed: readonly RepositoryRef[];
  readonly slack: 'on' | 'skipped' | 'open';
  /** Why something that was stored earlier does not work now. */
  readonly refusal: Refusal | null;
}

export interface ReachableRepository {
  readonly repository: RepositoryRef;
  readonly allowed: boolean;
}

/** Milliseconds for one request. */
const timeoutMs = 10_000;

const installationsSchema = z.array(
  z.object({ account: z.object({ login: z.string() }).nullish(), suspended_at: z.string().nullish() }),
);
const slackTestSchema = z.object({ ok: z.literal(true), team_id: z.string() });

export class Setup {
  readonly app: AppSteps;
  private readonly deps: SetupDeps;
  private readonly trial: Trial;
  private slackSkipped = false;
  private installed: { readonly askedWith: string; readonly app: AppLink } | null = null;
  /** The key that was tried last, and what is wrong with it. */
  private tried: { readonly key: string; readonly refusal: Refusal | null } | null = null;

  constructor(deps: SetupDeps) {
    this.deps = deps;
    this.trial = new Trial({ ...deps, timeoutMs });
    this.app = new AppSteps({ ...deps, timeoutMs, trial: this.trial });
  }

  async state(): Promise<SetupState> {
    const settings = await this.deps.store.settings();
    const read = await this.deps.store.config();
    const { githubUrl } = readSettings(settings).settings;
    const hasSlack =
      'SLACK_BOT_TOKEN' in settings && (this.deps.socketMode || 'SLACK_SIGNING_SECRET' in settings);
    const slack = hasSlack ? 'on' : this.slackSkipped ? 'skipped' : 'open';
    const model = {
      baseUrl: settings['OPENAI_BASE_URL'] ?? '',
      organization: settings['OPENAI_ORGANIZATION'] ?? '',
      project: settings['OPENAI_PROJECT'] ?? '',
    };
    const nothing = { githubUrl, model, app: null, allowed: [], slack, refusal: null } as const;
    if ('problem' in read) return { ...nothing, step: 'app', refusal: read };
    const named = namedRepositories(read.config);
    const allowed = named.filter((one) => resolveRepository(read.config, one).allowed);
    if (!('GITHUB_APP_ID' in settings)) return { ...nothing, allowed, step: 'app' };
    const found = await this.findApp(settings);
    if (found.step !== null) return { ...nothing, allowed, ...found };
    const withApp = { ...nothing, allowed, app: found.app };

    const key = settings['OPENAI_API_KEY'] ?? null;
    const refusal = key === null ? null : await this.tryStoredKey(key);
    if (key === null || refusal !== null) return { ...withApp, step: 'model', refusal };
    const isChannelOpen =
      slack === 'on' &&
      this.deps.socketMode &&
      !this.slackSkipped &&
      read.config.slack?.channelDefaults.size === 0;
    const isSlackOpen = slack === 'open' || isChannelOpen;
    const step = allowed.length === 0 ? 'repositories' : isSlackOpen ? 'slack' : 'proof';
    return { ...withApp, step };
  }

  /** Tries the key, and whether it has every model of the configuration. */
  async useModel(given: {
    readonly key: string;
    readonly baseUrl: string;
    readonly organization: string;
    readonly project: string;
  }): Promise<Refusal | null> {
    const stored = await this.deps.store.settings();
    const key = given.key.trim();
    const wanted = {
      OPENAI_API_KEY: key,
      OPENAI_BASE_URL: given.baseUrl.trim() || null,
      OPENAI_ORGANIZATION: given.organization.trim() || null,
      OPENAI_PROJECT: given.project.trim() || null,
    };
    const change = Object.fromEntries(
      Object.entries(wanted).filter(([name, value]) => value !== (stored[name] ?? null)),
    );
    const refusal = (await this.trial.of(change, ofModel)) ?? (await this.save(change));
    if (refusal === null) this.tried = { key, refusal: null };
    return refusal;
  }

  /** The repositories that the App reaches. */
  async reachable(): Promise<Refusal | readonly ReachableRepository[]> {
    const read = await this.deps.store.config();
    if ('problem' in read) return read;
    const { settings } = readSettings(await this.deps.store.settings());
    const api = { ...this.deps, apiUrl: settings.githubApiUrl };
    try {
      const { githubAppId: appId, githubAppPrivateKey: privateKey } = settings;
      const tokens = createAppTokens({ ...api, appId, privateKey });
      const all = await listInstalledRepositories({ ...api, tokens });
      return all.map((repository) => ({
        repository,
        allowed: resolveRepository(read.config, repository).allowed,
      }));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return refuse(`The repositories could not be listed: ${why}`, 'Reload this page in a moment.');
    }
  }

  /** Lets people use these repositories. Entries that exist stay as they are. */
  async allow(names: readonly string[]): Promise<Refusal | null> {
    const known = names.map((name) => parseRepositoryRef(name.trim())).filter((one) => one !== null);
    if (known.length < names.length || known.length === 0)
      return refuse('No repository was chosen', 'Choose at least one. You can add more later.');
    const read = await this.deps.store.config();
    return 'problem' in read ? read : await this.changeConfig(allowing(read.config, known));
  }

  /** Without Slack, or without a channel. */
  skipSlack(): void {
    this.slackSkipped = true;
  }

  /** Tries both. The workspace of the bot token becomes the one that is served, if none is configured. */
  async useSlack(given: { readonly botToken: string; readonly second: string }): Promise<Refusal | null> {
    const name = this.deps.socketMode ? 'SLACK_APP_TOKEN' : 'SLACK_SIGNING_SECRET';
    const tokens = { SLACK_BOT_TOKEN: given.botToken.trim(), [name]: given.second.trim() };
    // The trial knows a blank app token only as a bot without Socket Mode.
    if (given.second.trim() === '')
      return refuse(`${name} is missing`, 'Enter both, or continue without Slack.');
    const read = await this.deps.store.config();
    if ('problem' in read) return read;
    const team = await this.teamOf(tokens.SLACK_BOT_TOKEN);
    const changes: readonly ConfigChange[] =
      read.config.slack === null && team !== null ? [[['slack', 'team'], team]] : [];
    const changed = changeConfig(read.text, changes);
    if (!changed.ok) return refuse(changed.problem, 'Correct that line, and try again.');
    const refusal = await this.trial.of(tokens, ofSlack, changed.text);
    return refusal ?? (await this.changeConfig(changes)) ?? (await this.save(tokens));
  }

  /** Leads webhooks to the public address, even if it is stored: the App can have another one. */
  async movePublicUrl(): Promise<Refusal | null> {
    const settings = await this.deps.store.settings();
    const { publicUrl } = this.deps;
    const { GITHUB_APP_ID: id, GITHUB_APP_PRIVATE_KEY: pem } = settings;
    if (publicUrl === null || id === undefined || pem === undefined) return null;
    return (await this.app.pointWebhooks(null, { id, pem })) ?? (await this.save({ AIRLOCK_URL: publicUrl }));
  }

  async changeConfig(changes: readonly ConfigChange[]): Promise<Refusal | null> {
    return await refusingToWrite(async () => await this.deps.store.changeConfig(changes));
  }

  private async save(changes: Readonly<Record<string, string | null>>): Promise<Refusal | null> {
    return await refusingToWrite(async () => await this.deps.store.save(changes));
  }

  private async tryStoredKey(key: string): Promise<Refusal | null> {
    if (this.tried?.key !== key) this.tried = { key, refusal: await this.trial.of({}, ofModel) };
    return this.tried.refusal;
  }

  /**
   * The App, and the step that it lacks. GitHub is asked until the App is installed, and not again: a page
   * that waits looks every two seconds, and must not fall back because one request fails.
   */
  private async findApp(environment: Readonly<Record<string, string>>): Promise<FoundApp> {
    const { settings, broken } = readSettings(environment);
    const { githubAppId, githubAppPrivateKey, githubUrl, githubApiUrl } = settings;
    const askedWith = JSON.stringify([githubAppId, githubAppPrivateKey, githubUrl, githubApiUrl]);
    if (this.installed?.askedWith === askedWith)
      return { step: null, app: this.installed.app, refusal: null };
    const answer = await githubApp({
      ...this.deps,
      timeoutMs,
      appId: githubAppId,
      privateKey: githubAppPrivateKey,
      apiUrl: githubApiUrl,
      broken,
      config: null,
      clock: async () => await Promise.resolve(null),
    })();
    if (answer.app === null) {
      const { found, todo } = answer.verdict;
      return { step: 'app', app: null, refusal: refuse(found, todo ?? 'Correct it, and try again.') };
    }
    const { slug, html_url: shown } = answer.app;
    const page = shown.startsWith(`${githubUrl}/`) ? shown : `${githubUrl}/apps/${encodeURIComponent(slug)}`;
    const app = { slug, page };
    const listed = await answer.asApp('/app/installations?per_page=100');
    if (!listed.answered) {
      const unreachable = refuse(listed.why, 'Check the network, and reload this page.');
      return { step: 'installation', app, refusal: unreachable };
    }
    if (!isInstalled(listed.body)) return { step: 'installation', app, refusal: null };
    this.installed = { askedWith, app };
    return { step: null, app, refusal: null };
  }

  /** Null if Slack does not say: the doctor's check says why. */
  private async teamOf(botToken: string): Promise<string | null> {
    // What is no such token may be a secret of another service.
    if (!/^xoxb-[\w-]+$/.test(botToken)) return null;
    const { slackApiUrl } = readSettings(await this.deps.store.settings());
    const asked = await ask({ ...this.deps, timeoutMs }, `${slackApiUrl}/auth.test`, {
      method: 'POST',
      headers: { authorization: `Bearer ${botToken}` },
    });
    return asked.answered ? (slackTestSchema.safeParse(asked.body).data?.team_id ?? null) : null;
  }
}

const ofModel = /^(?:OPENAI_|openai\.)/;
const ofSlack = /^(?:SLACK_|slack\.)/;

const isInstalled = (body: unknown): boolean =>
  (installationsSchema.safeParse(body).data ?? []).some(
    ({ account, suspended_at: suspended }) => account != null && suspended == null,
  );
