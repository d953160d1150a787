/** The page of a task, for people who may read its repository. */
import { Hono } from 'hono';
import { standingText } from '../../core/task-words.ts';
import { admit } from './gate.ts';
import type { PageDeps } from './page-deps.ts';
import { page } from './shell.tsx';

export function taskRoutes(deps: PageDeps): Hono {
  const routes = new Hono();

  routes.get('/t/:id', async (c) => {
    const admitted = await admit(c, deps);
    if (admitted instanceof Response) return admitted;
    const view = await admitted.task.view();
    if (view === null) return c.notFound();
    const children = (
      <section>
        <h1>Task {view.shortId}</h1>
        <p>{standingText(view)}</p>
      </section>
    );
    return await page(c, { title: `Task ${view.shortId}`, session: admitted.session, children });
  });

  return routes;
}
