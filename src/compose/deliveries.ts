/** Wires the reader of GitHub's deliveries to the intake. */
import { sign } from '@octokit/webhooks-methods';
import * as z from 'zod';
import { createDeliveryLog } from '../github/delivery-log.ts';
import { mayStart } from '../github/webhook-events.ts';
import { withDeadline } from '../lib/with-deadline.ts';
import type { DeliveriesDeps } from '../tasks/queue/deliveries.ts';
import { composeApp } from './app.ts';
import { baseOf } from './base.ts';
import type { Env } from './env.ts';
import { platformOf } from './platform.ts';
import { log, now, platformFetch } from './runtime.ts';

/** The intake answers GitHub within 10 s. */
const handMs = 15_000;
const lookMs = 5000;
const healthSchema = z.object({ bot: z.string() });

export function composeDeliveries(env: Env): DeliveriesDeps {
  const { settings, github } = baseOf(env);
  const deliveries = createDeliveryLog(github);
  return {
    github: deliveries,
    mayStart,
    webhooksArrive: async () => {
      const { githubDeliveries: way } = settings;
      const { botId } = platformOf(env);
      // A Worker on Cloudflare has a public address, and cannot call itself there.
      if (way !== 'auto' || botId === null) return way !== 'poll';
      return await leadsTo(botId, await deliveries.webhookUrl());
    },
    hand: async ({ event, payload }, guid) => {
      const body = JSON.stringify(payload);
      const headers = {
        'content-type': 'application/json',
        'x-github-delivery': guid,
        'x-github-event': event,
        'x-hub-signature-256': await sign(settings.githubWebhookSecret, body),
      };
      const answer = composeApp(env).request('/github/webhooks', { method: 'POST', headers, body });
      return (await withDeadline(Promise.resolve(answer), handMs, 'handing over a delivery')).status;
    },
    now,
    log,
  };
}

/** Whether the bot that answers at the webhook's address is this one. */
async function leadsTo(botId: string, webhookUrl: string | null): Promise<boolean> {
  const url = webhookUrl === null ? null : URL.parse('/healthz', webhookUrl);
  if (url === null) return false;
  try {
    const answer = await platformFetch(url, { redirect: 'manual', signal: AbortSignal.timeout(lookMs) });
    const health = healthSchema.safeParse(await answer.json());
    return health.success && health.data.bot === botId;
  } catch {
    return false;
  }
}
