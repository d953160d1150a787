/** The routes of the pages. Loaded when the first of them is asked for. */
import { Hono } from 'hono';
import { listRoutes } from './list-routes.tsx';
import type { PageDeps } from './page-deps.ts';
import { signInRoutes } from './sign-in-routes.ts';
import { taskRoutes } from './task-routes.tsx';

export function pageRoutes(deps: PageDeps): Hono {
  const routes = new Hono();
  routes.route('/', signInRoutes(deps));
  routes.route('/', listRoutes(deps));
  routes.route('/', taskRoutes(deps));
  return routes;
}
