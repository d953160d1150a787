/** Combines the route files with authentication, rate-limit headers and error documents. */
import { randomBytes } from 'node:crypto';
import { Hono } from 'hono';
import { identify } from './access.ts';
import { ApiError, MovedError } from './api-errors.ts';
import { signInRoutes } from './oauth.ts';
import { appRoutes } from './routes/app-routes.ts';
import { checkRoutes } from './routes/check-routes.ts';
import { gitObjectRoutes } from './routes/git-object-routes.ts';
import { gitRefRoutes } from './routes/git-ref-routes.ts';
import { issueRoutes } from './routes/issue-routes.ts';
import { mergeRoutes } from './routes/merge-routes.ts';
import { pullRoutes } from './routes/pull-routes.ts';
import { reactionRoutes } from './routes/reaction-routes.ts';
import { reviewRoutes } from './routes/review-routes.ts';
import { ruleRoutes } from './routes/rule-routes.ts';
import { repositoryRoutes } from './routes/repository-routes.ts';
import type { ApiEnv, Site } from './site.ts';

/** GitHub accepts blobs up to 100 MB; base64 adds a third. */
const maxRequestBytes = 140 * 1024 * 1024;
/** https://docs.github.com/rest/about-the-rest-api/api-versions: any other version gets 400. */
const apiVersion = '2022-11-28';

export function apiApplication(site: Site): Hono<ApiEnv> {
  const api = new Hono<ApiEnv>();
  let used = 0;

  api.use(async (c, next) => {
    c.set('caller', identify(c.req.header('authorization'), site, Date.now()));
    await next();
    // A conditional request that finds nothing new is free.
    if (c.res.status !== 304) used += 1;
    const reset = Math.ceil(Date.now() / 3_600_000) * 3600;
    c.header('x-github-request-id', randomBytes(12).toString('hex').toUpperCase());
    c.header('x-github-media-type', 'github.v3; format=json');
    c.header('x-github-api-version-selected', apiVersion);
    const { hourlyLimit } = site;
    if (hourlyLimit === null) return;
    c.header('x-ratelimit-limit', String(hourlyLimit));
    c.header('x-ratelimit-remaining', String(Math.max(0, hourlyLimit - used)));
    c.header('x-ratelimit-used', String(used));
    c.header('x-ratelimit-reset', String(reset));
    c.header('x-ratelimit-resource', 'core');
  });
  // By the announced length: `bodyLimit` of Hono needs global objects that `server.ts` leaves alone.
  api.use(async (c, next) => {
    if (Number(c.req.header('content-length') ?? 0) > maxRequestBytes)
      throw new ApiError(413, 'Payload too large');
    await next();
  });

  // Stricter than GitHub, which assumes a version if none is named. Airlock must name one on every call.
  api.use(async (c, next) => {
    const named = c.req.header('x-github-api-version');
    const isAirlock = c.req.header('user-agent')?.startsWith('airlock') === true;
    if (named !== apiVersion && (named !== undefined || isAirlock))
      throw new ApiError(400, `The API version ${named ?? '(none)'} is not supported, only ${apiVersion}`);
    await next();
  });

  // Bad credentials are 401 even if the repository does not exist.
  api.on('ALL', ['/repos/*', '/repositories/*'], async (c, next) => {
    const caller = c.get('caller');
    if (caller.kind === 'refused') throw new ApiError(caller.status, caller.message);
    await next();
  });

  const routes = [
    appRoutes,
    signInRoutes,
    // Before `commits/{ref}`, whose reference can contain slashes.
    checkRoutes,
    repositoryRoutes,
    issueRoutes,
    reactionRoutes,
    gitObjectRoutes,
    gitRefRoutes,
    mergeRoutes,
    ruleRoutes,
    pullRoutes,
    reviewRoutes,
  ];
  for (const route of routes) api.route('/', route(site));

  api.notFound((c) => c.json(new ApiError(404, 'Not Found').document, 404));
  api.onError((error, c) => {
    if (error instanceof MovedError)
      return c.json(error.document, error.status, { location: error.location });
    if (error instanceof ApiError) return c.json(error.document, error.status);
    console.error('GitHub simulator:', error);
    return c.json(new ApiError(500, 'Server Error').document, 500);
  });
  return api;
}
