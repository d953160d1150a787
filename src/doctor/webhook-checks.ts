/** Checks that webhooks arrive. GitHub does not return the secret; its newest delivery's answer shows it. */
import * as z from 'zod';
import { ageText } from '../core/task-words.ts';
import { fail, ok, once, skip, warn, type Check, type Verdict } from './check.ts';
import type { AsApp } from './github-checks.ts';

const hookSchema = z.object({
  url: z.string().nullish(),
  content_type: z.string().nullish(),
  insecure_ssl: z.union([z.string(), z.number()]).nullish(),
  secret: z.string().nullish(),
});
const deliveriesSchema = z.array(
  z.object({
    delivered_at: z.string(),
    status_code: z.number(),
    event: z.string(),
    action: z.string().nullish(),
  }),
);
type Delivery = z.infer<typeof deliveriesSchema>[number];

const path = '/github/webhooks';
const readText = 'Airlock reads GitHub’s log of deliveries every few seconds instead';

export interface WebhookInput {
  readonly asApp: () => Promise<AsApp | null>;
  /** The address at which this Airlock is reached, without a trailing slash; null when it is unknown here. */
  readonly publicUrl: string | null;
  /** Whether this Airlock reads GitHub's log of deliveries, so that no webhook has to arrive. */
  readonly readsLog: boolean;
  readonly now: () => number;
  readonly broken: ReadonlyMap<string, string>;
}

export function webhookChecks(input: WebhookInput): Check[] {
  const hook = once(async () => await judgeHook(input));
  return [
    { id: 'github.webhook', run: hook },
    {
      id: 'github.deliveries',
      run: async () => {
        if (input.broken.has('GITHUB_WEBHOOK_SECRET')) return skip('GITHUB_WEBHOOK_SECRET first');
        const { status } = await hook();
        // Deliveries to another address prove nothing about this one.
        if (status === 'fail' || status === 'skip') return skip('github.webhook first');
        return await judgeDeliveries(input);
      },
    },
  ];
}

async function judgeHook({ asApp, publicUrl, readsLog }: WebhookInput): Promise<Verdict> {
  const call = await asApp();
  if (call === null) return skip('github.app first');
  const asked = await call('/app/hook/config');
  if (!asked.answered) return fail(`GitHub did not answer: ${asked.why}`, 'Try again.');
  const parsed = hookSchema.safeParse(asked.body);
  if (asked.status !== 200 || !parsed.success)
    return fail(`GitHub answered ${asked.status}`, 'Check that the webhook is “Active” on the App’s page.');
  const { url: written, content_type: type, insecure_ssl: insecure, secret } = parsed.data;
  const wanted = `${publicUrl ?? 'https://<your public address>'}${path}`;
  const correct = `Set the webhook URL on the App’s page to ${wanted}`;
  const url = URL.parse(written ?? '');
  if (readsLog && url?.pathname !== path) return ok(`do not lead here: ${readText}`);
  if (url === null) return fail('the App has no webhook URL', correct);
  if (url.pathname !== path) return fail(`the App’s webhook leads to the path ${url.pathname}`, correct);
  if (publicUrl !== null && url.href !== wanted)
    return fail(`the App’s webhook leads to ${url.origin}, which is not this deployment`, correct);
  if (secret == null || secret === '')
    return fail('the App has no webhook secret', 'Set it on the App’s page to GITHUB_WEBHOOK_SECRET.');
  if (type !== 'json')
    return fail(
      `the App sends ${type ?? 'forms'} instead of JSON`,
      'Choose application/json as content type.',
    );
  const isLoopback = /^(?:127\.0\.0\.1|localhost|\[::1\])$/.test(url.hostname);
  if (String(insecure ?? '0') === '1')
    return warn(
      'GitHub does not verify this address’s certificate',
      'Turn SSL verification on, on the App’s page.',
    );
  if (url.protocol !== 'https:' && !isLoopback)
    return warn(
      'webhooks travel without TLS',
      'Give the address a certificate: payloads hold content of repositories.',
    );
  return ok(
    `leads to ${url.href}${publicUrl === null ? ' (this program cannot tell whether that is here)' : ''}`,
  );
}

async function judgeDeliveries({ asApp, readsLog, now }: WebhookInput): Promise<Verdict> {
  const call = await asApp();
  if (call === null) return skip('github.app first');
  const asked = await call('/app/hook/deliveries?per_page=20');
  if (!asked.answered) return fail(`GitHub did not answer: ${asked.why}`, 'Try again.');
  const parsed = deliveriesSchema.safeParse(asked.body);
  if (asked.status !== 200 || !parsed.success) return fail(`GitHub answered ${asked.status}`, 'Try again.');
  const deliveries = parsed.data.toSorted((a, b) => Date.parse(b.delivered_at) - Date.parse(a.delivered_at));
  const [newest] = deliveries;
  if (newest === undefined)
    return warn(
      'GitHub has delivered nothing in the last days, so nothing shows whether both sides have the same secret',
      'Redeliver the ping (App’s page → Advanced → Recent deliveries), or comment on an issue; then ask again.',
    );
  const what = `${describe(newest)}, ${ageText(now() - Date.parse(newest.delivered_at))},`;
  const isAccepted = newest.status_code >= 200 && newest.status_code < 300;
  if (readsLog && !isAccepted) return ok(`the newest delivery (${what}) did not arrive: ${readText}`);
  if (newest.status_code === 401) {
    const row = deliveries.findIndex(({ status_code: code }) => code !== 401);
    return fail(
      `the newest delivery (${what}) was answered 401, as were ${row === -1 ? deliveries.length - 1 : row - 1} right before it: the secrets differed then`,
      'Set one and the same secret on the App’s page and as GITHUB_WEBHOOK_SECRET, then redeliver that delivery and ask again.',
    );
  }
  if (isAccepted)
    return ok(`the newest delivery (${what}) was accepted: both sides had the same secret then`);
  const answer = newest.status_code === 0 ? 'got no answer' : `was answered ${newest.status_code}`;
  return fail(
    `the newest delivery (${what}) ${answer}`,
    'Check that the address is reachable from outside and that a proxy keeps the path; redeliver it, then run the doctor again.',
  );
}

const describe = ({ event, action }: Delivery): string => (action == null ? event : `${event}.${action}`);
