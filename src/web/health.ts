/** `GET /healthz`: whether this Airlock works, for people, service managers and load balancers. */
import type { Context } from 'hono';
import { problem } from './problem.ts';

/** `broken`: it accepts nothing; `reason` has the remedy. `draining`: it accepts, and starts no sandbox. */
export type Health =
  | { readonly status: 'ready' }
  | { readonly status: 'draining' }
  | { readonly status: 'broken'; readonly why: 'not-writable' | 'no-sandbox-host'; readonly reason: string };

const drainingReason = 'Airlock is stopping. It accepts requests, and carries them out after its next start.';

/** While draining 200: what a load balancer kept back would be answered later, or, from Slack, not at all. */
export function healthAnswer(c: Context, health: Health, identity: object): Response {
  if (health.status !== 'broken') {
    const reason = health.status === 'draining' ? { reason: drainingReason } : {};
    return c.json({ ok: true, status: health.status, ...reason, ...identity });
  }
  const { status, reason } = health;
  const more = { ok: false, status, reason, ...identity };
  if (health.why === 'not-writable') return problem(c, 503, 'not-writable', reason, more);
  return problem(c, 503, 'no-sandbox-host', reason, more);
}
