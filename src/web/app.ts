/** Mounts the routers. The caller passes what each needs; nothing here knows the environment. */
import { Hono } from 'hono';
import { refusedAccess } from './access.ts';
import { apiRoutes, type ApiDeps } from './api.ts';
import { healthAnswer, type Health } from './health.ts';
import { metricsRoutes, type MetricsDeps } from './metrics.ts';
import { allowOnly, problem } from './problem.ts';

export interface AppDeps {
  readonly api: ApiDeps;
  /** Receives `POST /github/webhooks`. */
  readonly githubWebhooks: Hono;
  /** Receives `POST /slack/events`. Null: Slack is not configured, and the path does not exist. */
  readonly slack: Hono | null;
  /** Serves a file of the pages. */
  asset(request: Request): Promise<Response>;
  /** Receives the paths of the pages. Loaded when one is asked for. */
  pages(): Promise<Hono>;
  readonly metrics: MetricsDeps;
  /** Receives the status of each answer that refuses a request. */
  refused(door: Door, status: number): void;
  readonly version: string;
  /** Id of this start of the bot on one machine; null on Cloudflare. */
  readonly botId: string | null;
  /** Never rejects. */
  health(): Promise<Health>;
  log(event: string, fields: Record<string, unknown>): void;
}

/** Where requests come in. */
type Door = 'github' | 'slack' | 'api';
const doors = [
  ['/github/webhooks', 'github'],
  ['/slack/*', 'slack'],
  ['/api/*', 'api'],
  ['/metrics', 'api'],
] as const satisfies readonly (readonly [path: string, door: Door])[];

export function createApp(deps: AppDeps): Hono {
  const app = new Hono();
  for (const [path, door] of doors)
    app.use(path, async (c, next) => {
      await next();
      if (c.res.status >= 400) deps.refused(door, c.res.status);
    });
  app.get('/healthz', async (c) => {
    const { version, botId } = deps;
    return healthAnswer(c, await deps.health(), { version, ...(botId === null ? {} : { bot: botId }) });
  });
  app.route('/github/webhooks', deps.githubWebhooks);
  if (deps.slack !== null) app.route('/slack', deps.slack);
  app.get('/api/openapi.json', async (c) => {
    const refused = await refusedAccess(c, deps.api.apiToken);
    if (refused !== null) return refused;
    const { openapiDocument } = await import('./openapi.ts');
    return c.json(openapiDocument(deps.version));
  });
  app.route('/api/tasks', apiRoutes(deps.api));
  app.get('/assets/:name', async (c) => await deps.asset(c.req.raw));
  for (const path of ['/t/*', '/tasks', '/tasks/*', '/auth/*', '/open'])
    app.all(path, async (c) => await (await deps.pages()).fetch(c.req.raw, c.env));
  app.route('/metrics', metricsRoutes(deps.metrics));
  allowOnly(app, '/healthz', 'GET, HEAD');
  allowOnly(app, '/metrics', 'GET, HEAD');
  allowOnly(app, '/api/openapi.json', 'GET, HEAD');
  allowOnly(app, '/github/webhooks', 'POST');
  app.notFound((c) => problem(c, 404, 'not-found', 'There is nothing here.'));
  app.onError((error, c) => {
    deps.log('request.failed', { path: c.req.path, error: String(error) });
    return problem(c, 500, 'internal', 'The request could not be carried out. Try again.');
  });
  return app;
}
