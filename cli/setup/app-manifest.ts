/** What GitHub is asked to create the App with: a manifest for a browser, a filled-in form for a terminal. */
import { eventNeeds, permissionNeeds } from '../../src/doctor/app-needs.ts';

/** No program answers under `.invalid`: GitHub only has to record deliveries, which the bot then reads. */
const nowhere = 'https://airlock.invalid';
/** GitHub's limit. */
const maxName = 34;

export interface NewApp {
  /** Null: the person's own account. */
  readonly organization: string | null;
  /** Without a trailing slash. */
  readonly githubUrl: string;
  /** Where webhooks reach the bot, without a trailing slash; null without a public address. */
  readonly publicUrl: string | null;
  /** Where the bot's own pages are, to which people return when they have signed in with GitHub. */
  readonly pagesUrl: string;
  /** Makes the name unique, because GitHub has each name once. */
  readonly suffix: string;
}

export const hookUrlOf = (publicUrl: string | null): string => `${publicUrl ?? nowhere}/github/webhooks`;

/** What a form posts to `action` as `manifest`. GitHub leads to `redirectUrl` with a code and `state`. */
export function manifestForm(
  app: NewApp,
  { redirectUrl, state }: { readonly redirectUrl: string; readonly state: string },
): { readonly action: string; readonly manifest: string } {
  const manifest = {
    name: nameOf(app),
    url: homepageOf(app),
    description: 'Hands work on a repository to Codex and comes back with a pull request.',
    public: false,
    hook_attributes: { url: hookUrlOf(app.publicUrl), active: true },
    redirect_url: redirectUrl,
    callback_urls: [callbackOf(app)],
    default_events: Object.keys(eventNeeds),
    default_permissions: Object.fromEntries(permissions),
  };
  return {
    action: `${newAppPage(app)}?state=${encodeURIComponent(state)}`,
    manifest: JSON.stringify(manifest),
  };
}

/** The address of GitHub's own form, filled in except for the webhook's secret. */
export function prefilledForm(app: NewApp): string {
  const fields = new URLSearchParams({
    name: nameOf(app),
    url: homepageOf(app),
    public: 'false',
    webhook_active: 'true',
    webhook_url: hookUrlOf(app.publicUrl),
    'callback_urls[]': callbackOf(app),
    ...Object.fromEntries(permissions),
  });
  for (const event of Object.keys(eventNeeds)) fields.append('events[]', event);
  return `${newAppPage(app)}?${fields.toString()}`;
}

const permissions = Object.entries(permissionNeeds).map(([name, { level }]) => [name, level] as const);

const callbackOf = ({ pagesUrl }: NewApp): string => `${pagesUrl}/auth/callback`;

const nameOf = ({ organization, suffix }: NewApp): string =>
  `airlock-${organization ?? suffix}`.slice(0, maxName).replace(/-+$/, '');

const homepageOf = ({ githubUrl, organization }: NewApp): string =>
  organization === null ? githubUrl : `${githubUrl}/${encodeURIComponent(organization)}`;

const newAppPage = ({ githubUrl, organization }: NewApp): string =>
  `${githubUrl}${organization === null ? '' : `/organizations/${encodeURIComponent(organization)}`}/settings/apps/new`;
