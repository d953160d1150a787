/** `POST /slack/events`: authenticates a request, refuses other workspaces, and passes the rest to Bolt. */
import { Hono, type Context } from 'hono';
import type { SlackDeps } from './deps.ts';
import { createIntake } from './intake.ts';
import { isFromTeam } from './payload.ts';
import type { HonoReceiver } from './receiver.ts';
import { admit } from './signed-request.ts';
import { refuseStranger } from './stranger.ts';

/** The platform's `waitUntil`. Without a platform, work continues after the response anyway. */
function waitUntilOf(c: Context): (work: Promise<unknown>) => void {
  try {
    const context = c.executionCtx;
    return (work) => context.waitUntil(work);
  } catch {
    return () => undefined;
  }
}

/** The retry number of an event, for the log and Bolt's context; null for a first delivery. */
function retryNumOf(c: Context): number | null {
  const given = c.req.header('x-slack-retry-num') ?? '';
  return /^\d{1,3}$/.test(given) ? Number(given) : null;
}

/** The reason of a retry, such as `http_timeout`: https://docs.slack.dev/apis/events-api/#retries */
function retryReasonOf(c: Context): string | null {
  return /^[a-z_]{1,40}$/.exec(c.req.header('x-slack-retry-reason') ?? '')?.[0] ?? null;
}

/** Throws if Slack is not configured or the signing secret is empty, so that the error appears at start. */
export function slackRoutes(deps: SlackDeps): Hono {
  const { policy, signingSecret, log } = deps;
  const { slack } = policy;
  if (slack === null) throw new Error('Slack is not configured');
  if (signingSecret === '') throw new Error('the signing secret is empty');
  const intake = createIntake(deps, slack);
  // Loaded by the first request, because Bolt is large. Not its promise: in workerd, no request may await
  // another's.
  let receiver: HonoReceiver | null = null;
  const app = new Hono();

  app.all('/events', async (c) => {
    const admission = await admit(c.req.raw, deps);
    if (admission.kind === 'answer') return admission.response;
    const { inbound } = admission;
    const waitUntil = waitUntilOf(c);
    if (!isFromTeam(inbound.sender, slack.team)) {
      log('slack.refused', { why: 'another workspace', kind: inbound.kind, name: inbound.name });
      const { response, after } = refuseStranger(intake, inbound);
      if (after !== null) {
        waitUntil(after.catch((error: unknown) => log('slack.notify_failed', { error: String(error) })));
      }
      return response;
    }
    receiver ??= (await import('./slack-app.ts')).createSlackApp(intake);
    return await receiver.answer(inbound, {
      waitUntil,
      retryNum: retryNumOf(c),
      retryReason: retryReasonOf(c),
    });
  });
  return app;
}
