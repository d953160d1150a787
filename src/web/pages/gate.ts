/**
 * Decides for a request to a task's page whether this person sees the task. A stranger gets one answer for a
 * task that is hidden, unknown or not checkable, at about the same time: refusals wait for a round number of
 * seconds, so that how long GitHub was asked does not show.
 */
import type { Context } from 'hono';
import { pageAccess, type PageAccess, type RepositoryAccess } from '../../core/access/page-access.ts';
import { taskIdSchema, type RepositoryPlace } from '../../core/task.ts';
import type { AccessFor, PageDeps, PageTask } from './page-deps.ts';
import { sessionOf, type Session } from './session.ts';
import { isSecure, notSignedIn } from './sign-in-routes.ts';
import { message } from './shell.tsx';

export interface Admitted {
  readonly id: string;
  readonly session: Session;
  readonly task: PageTask;
  readonly access: Exclude<PageAccess, 'none'>;
}

/** Longer than GitHub usually takes. */
const refusalMs = 1000;

/** The person with the task, or the answer to who may not see it. */
export async function admit(
  c: Context,
  deps: PageDeps,
  asked: AccessFor = 'page',
): Promise<Admitted | Response> {
  const id = c.req.param('id') ?? '';
  const session = await sessionFor(c, deps);
  if (session === null) return await notSignedIn(c, deps, `/t/${id}`);
  const begun = deps.now();
  const found = await look(id, session, deps, asked);
  if (found !== null) return found;
  const took = Math.max(0, deps.now() - begun);
  await deps.pause((Math.floor(took / refusalMs) + 1) * refusalMs - took);
  return await message(
    c,
    404,
    {
      title: 'No such task',
      text: 'There is no task here, or GitHub does not say that you may see it. If you should, check that you are signed in with the right account, and try again in a minute.',
    },
    session,
  );
}

export async function sessionFor(c: Context, deps: PageDeps): Promise<Session | null> {
  const { signer, url, now } = deps;
  return await sessionOf(c, { signer, isSecure: isSecure(c, url), now: now() });
}

async function look(
  id: string,
  session: Session,
  deps: PageDeps,
  asked: AccessFor,
): Promise<Admitted | null> {
  if (!taskIdSchema.safeParse(id).success || !(await deps.isListed(id))) return null;
  const task = deps.task(id);
  const subject = await task.subject();
  if (subject === null) return null;
  const access = pageAccess(session.viewer, await accessTo(subject.place, session, deps, asked));
  return access === 'none' ? null : { id, session, task, access };
}

export async function accessTo(
  place: RepositoryPlace | null,
  { viewer }: Session,
  { accessOf, log }: PageDeps,
  asked: AccessFor,
): Promise<RepositoryAccess | null> {
  if (viewer.kind !== 'github' || place === null) return null;
  try {
    return await accessOf(place, viewer, asked);
  } catch (error) {
    log('page.access_unknown', { repositoryId: place.repositoryId, error: String(error) });
    return null;
  }
}
