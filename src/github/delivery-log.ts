/** Reads the App's own deliveries. https://docs.github.com/rest/apps/webhooks */
import * as z from 'zod';
import type { DeliveryLog } from '../core/ports/delivery-log.ts';
import { parseJson } from '../lib/parse-json.ts';
import type { AppTokens } from './app-auth.ts';
import { githubClient, GithubRefusal, unlessMissing, type GithubApi } from './client.ts';

/** GitHub's maximum. */
const perPage = 100;

const attemptsSchema = z.array(
  z.object({
    id: z.string().regex(/^\d{1,20}$/),
    guid: z.string().min(1).max(100),
    delivered_at: z.iso.datetime({ offset: true }),
    status_code: z.number().int(),
    event: z.string(),
    action: z.string().nullish(),
  }),
);
const deliverySchema = z.object({
  event: z.string(),
  request: z.object({ payload: z.record(z.string(), z.unknown()).nullable() }),
});
const hookSchema = z.object({ url: z.string().nullish() });

export function createDeliveryLog(api: GithubApi & { readonly tokens: AppTokens }): DeliveryLog {
  const client = githubClient(api, async () => await api.tokens.appJwt());
  return {
    async page({ cursor, etag }) {
      try {
        const { data, headers } = await client.request('GET /app/hook/deliveries', {
          per_page: perPage,
          ...(cursor === null ? {} : { cursor }),
          headers: etag === null ? {} : { 'if-none-match': etag },
          request: { parseSuccessResponseBody: false },
        });
        const limit = Number(headers['x-ratelimit-limit'] ?? NaN);
        return {
          attempts: attemptsIn(await bodyText(data)),
          next: nextCursor(headers.link),
          etag: headers.etag ?? null,
          perHour: Number.isFinite(limit) ? limit : null,
        };
      } catch (error) {
        if (error instanceof GithubRefusal && error.status === 304) return 'unchanged';
        throw error;
      }
    },
    async delivery(id) {
      const found = await unlessMissing(
        // GitHub's ids have 64 bits, so this one is not a number.
        client.request(`GET /app/hook/deliveries/${id}`),
      );
      if (found === null) return null;
      const { event, request } = deliverySchema.parse(found.data);
      return request.payload === null ? null : { event, payload: request.payload };
    },
    async webhookUrl() {
      const { data } = await client.request('GET /app/hook/config');
      return hookSchema.parse(data).url || null;
    },
  };
}

/** Without `parseSuccessResponseBody` Octokit returns the body as a stream. */
async function bodyText(untyped: unknown): Promise<string> {
  if (untyped instanceof ReadableStream) return await new Response(untyped).text();
  return typeof untyped === 'string' ? untyped : '';
}

/**
 * Reads the ids as text: they have 64 bits, and a number of JavaScript has 53. No string can hold `"id":`,
 * because its quotes are escaped.
 */
function attemptsIn(text: string) {
  const parsed = attemptsSchema.parse(parseJson(text.replaceAll(/"id":\s*(\d+)/g, '"id":"$1"')));
  return parsed.map(({ id, guid, delivered_at: at, status_code: status, event, action }) => ({
    id,
    guid,
    at: Date.parse(at),
    event: action == null ? event : `${event}.${action}`,
    status,
  }));
}

/** From the `Link` header. */
function nextCursor(link: string | undefined): string | null {
  const next = /<([^>]+)>;\s*rel="next"/.exec(link ?? '')?.[1];
  return next === undefined ? null : (URL.parse(next)?.searchParams.get('cursor') ?? null);
}
