/** The steps that give the bot a GitHub App: a new one by manifest, or one that exists. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { apiVersionHeader, githubClient, GithubRefusal } from '../../src/github/client.ts';
import { createAppTokens } from '../../src/github/app-auth.ts';
import { ask, type Service } from '../../src/doctor/service.ts';
import { readSettings } from '../../src/doctor/settings-checks.ts';
import { hookUrlOf, manifestForm, prefilledForm, type NewApp } from './app-manifest.ts';
import { refuse, type Refusal } from './refusal.ts';
import { refusingToWrite, type Store } from './store.ts';
import type { Trial } from './trial.ts';

export interface AppStepsDeps extends Service {
  readonly store: Store;
  readonly trial: Trial;
  readonly now: () => number;
  /** Where webhooks reach the bot, without a trailing slash; null: it needs no public address. */
  readonly publicUrl: string | null;
}

/** Where the App is to be created, as people enter it. */
export interface WantedApp {
  /** Empty: the person's own account. */
  readonly organization: string;
  /** Empty: github.com. */
  readonly githubUrl: string;
}

/** GitHub's limit from the manifest to the exchange of the code. */
const stateLifeMs = 60 * 60_000;

const createdSchema = z.object({
  id: z.int().positive(),
  pem: z.string().min(1),
  webhook_secret: z.string().nullish(),
  client_id: z.string().min(1),
  client_secret: z.string().min(1),
});
const accountName = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9])?$/;
const newSecret = (): string => randomBytes(32).toString('hex');

export class AppSteps {
  private readonly deps: AppStepsDeps;
  /** `state` values that GitHub has not answered yet, with the time when they were sent. */
  private readonly sent = new Map<string, number>();

  constructor(deps: AppStepsDeps) {
    this.deps = deps;
  }

  /** What a browser posts to GitHub, and where. */
  async createForm(
    wanted: WantedApp,
    redirectUrl: string,
  ): Promise<Refusal | { readonly action: string; readonly manifest: string }> {
    const app = await this.newApp(wanted);
    if ('problem' in app) return app;
    const state = newSecret();
    this.sent.set(state, this.deps.now());
    return manifestForm(app, { redirectUrl, state });
  }

  /** The address of a filled-in form, for a person without a browser on this machine. */
  async createLink(wanted: WantedApp): Promise<Refusal | { readonly link: string }> {
    const app = await this.newApp(wanted);
    return 'problem' in app ? app : { link: prefilledForm(app) };
  }

  /** Exchanges GitHub's code for the App's credentials. Each `state` and each code works once. */
  async exchange(given: { readonly code: string; readonly state: string }): Promise<Refusal | null> {
    const { store, now } = this.deps;
    const sentAt = this.sent.get(given.state);
    this.sent.delete(given.state);
    const settings = await store.settings();
    if (sentAt === undefined)
      return 'GITHUB_APP_ID' in settings
        ? refuse(
            'This answer of GitHub was used already',
            'Nothing is lost: the App is stored. Continue below.',
          )
        : refuse(
            'This answer of GitHub is not one that this set-up waits for: it was started again, or the App is not yours',
            'Create the App again, and delete the other one on GitHub.',
          );
    const { code } = given;
    if (now() - sentAt > stateLifeMs || !/^\w{1,100}$/.test(code)) return refuseCode();
    const { githubApiUrl } = readSettings(settings).settings;
    const asked = await ask(this.deps, `${githubApiUrl}/app-manifests/${code}/conversions`, {
      method: 'POST',
      headers: { ...apiVersionHeader, accept: 'application/vnd.github+json' },
    });
    if (asked.answered && asked.status === 404) return refuseCode();
    const created = asked.answered ? createdSchema.safeParse(asked.body).data : undefined;
    if (created === undefined)
      return refuse(
        `GitHub did not hand over the App’s key (${asked.answered ? `status ${asked.status}` : asked.why})`,
        'Generate a private key on the App’s page, and enter it under “I have an App already”.',
      );
    return await this.keep(
      { id: String(created.id), pem: created.pem.trim(), secret: created.webhook_secret ?? null },
      // With these people sign in to the bot's pages.
      { GITHUB_CLIENT_ID: created.client_id, GITHUB_CLIENT_SECRET: created.client_secret },
    );
  }

  /** An App that exists. Without its webhook secret a new one is set, here and at GitHub. */
  async useExisting(given: {
    readonly id: string;
    readonly pem: string;
    readonly secret: string;
  }): Promise<Refusal | null> {
    const app = { id: given.id.trim(), pem: given.pem.trim(), secret: given.secret.trim() || null };
    const candidate = settingsOf(app.id, app.pem, app.secret ?? newSecret());
    const refusal = await this.deps.trial.of(candidate, /^(?:GITHUB_|github\.(?:app|permissions)$)/);
    return refusal ?? (await this.keep(app, {}));
  }

  /** Has GitHub send webhooks to where the bot is reached now. */
  async pointWebhooks(secret: string | null, app: { id: string; pem: string }): Promise<Refusal | null> {
    const { publicUrl, store } = this.deps;
    const apiUrl = readSettings(await store.settings()).settings.githubApiUrl;
    const tokens = createAppTokens({ ...this.deps, apiUrl, appId: Number(app.id), privateKey: app.pem });
    const client = githubClient({ ...this.deps, apiUrl }, async () => await tokens.appJwt());
    try {
      // As `data`: Octokit takes a parameter `url` for the address of the request itself.
      await client.request('PATCH /app/hook/config', {
        data: {
          url: hookUrlOf(publicUrl),
          content_type: 'json',
          ...(secret === null ? {} : { secret }),
        },
      });
      return null;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const why = error instanceof GithubRefusal ? error.details : message.replace(/\.$/, '');
      return refuse(
        `GitHub did not take the App’s webhook: ${why}`,
        'On the App’s page tick “Active” under Webhook, save, and try again.',
      );
    }
  }

  private async newApp({ organization, githubUrl }: WantedApp): Promise<Refusal | NewApp> {
    const account = organization.trim().replace(/^@/, '');
    if (account !== '' && !accountName.test(account))
      return refuse(
        `${JSON.stringify(account.slice(0, 60))} is not the name of an organization`,
        'Enter the name as in its address, github.com/NAME.',
      );
    const refusal = await this.useGithub(githubUrl.trim());
    if (refusal !== null) return refusal;
    const stored = await this.deps.store.settings();
    const { publicUrl } = this.deps;
    return {
      organization: account === '' ? null : account,
      githubUrl: readSettings(stored).settings.githubUrl,
      publicUrl,
      pagesUrl: publicUrl ?? `http://127.0.0.1:${stored['PORT'] ?? '8787'}`,
      suffix: newSecret().slice(0, 6),
    };
  }

  /** Stores the address of another GitHub than github.com, if one answers there. */
  private async useGithub(given: string): Promise<Refusal | null> {
    if (given === '') return null;
    const { store } = this.deps;
    const url = URL.parse(/^https?:\/\//.test(given) ? given : `https://${given}`);
    if (url === null || !url.hostname.includes('.') || url.username !== '')
      return refuse(
        'That is not the address of a GitHub',
        'Enter its address, such as https://acme.ghe.com.',
      );
    if (url.origin === readSettings(await store.settings()).settings.githubUrl) return null;
    const change = {
      GITHUB_URL: url.origin === 'https://github.com' ? null : url.origin,
      GITHUB_API_URL: null,
    };
    const { githubApiUrl } = readSettings({ GITHUB_URL: url.origin }).settings;
    const asked = await ask(this.deps, `${githubApiUrl}/meta`, { headers: apiVersionHeader });
    if (!asked.answered || asked.headers.get('x-github-request-id') === null)
      return refuse(
        `No GitHub answers at ${githubApiUrl}${asked.answered ? '' : ` (${asked.why})`}`,
        'Check the address, and the network from here.',
      );
    return await refusingToWrite(async () => await store.save(change));
  }

  private async keep(
    app: { readonly id: string; readonly pem: string; readonly secret: string | null },
    client: Readonly<Record<string, string>>,
  ): Promise<Refusal | null> {
    const { store, publicUrl } = this.deps;
    const secret = app.secret ?? newSecret();
    const pages = publicUrl === null ? {} : { AIRLOCK_URL: publicUrl };
    const settings = { ...settingsOf(app.id, app.pem, secret), ...client, ...pages };
    const refusal = app.secret === null ? await this.pointWebhooks(secret, app) : null;
    return refusal ?? (await refusingToWrite(async () => await store.save(settings)));
  }
}

const settingsOf = (id: string, pem: string, secret: string) => ({
  GITHUB_APP_ID: id,
  GITHUB_APP_PRIVATE_KEY: pem,
  GITHUB_WEBHOOK_SECRET: secret,
});

const refuseCode = (): Refusal =>
  refuse(
    'GitHub does not accept the code: it works once, and for an hour',
    'Create the App again, and delete the other one on GitHub.',
  );
