/** Wires the pages of tasks. They are loaded when the first is asked for, so that the start does not pay. */
import type { Hono } from 'hono';
import { pageAccess, type RepositoryAccess } from '../core/access/page-access.ts';
import { repositoryAccess } from '../github/repository-access.ts';
import { authorizeAddress, personOfCode } from '../github/sign-in.ts';
import { createSigner } from '../lib/signer.ts';
import { runAgain } from '../tasks/run-again.ts';
import type { PageDeps, PageTask } from '../web/pages/page-deps.ts';
import { baseOf } from './base.ts';
import type { Env } from './env.ts';
import { retryPublication, start } from './instances.ts';
import { ask, ledgerOf, listLedger, recordOf, slotsObjectOf } from './objects.ts';
import { platformOf } from './platform.ts';
import { log, now } from './runtime.ts';

/**
 * How long what GitHub said about a person counts, in milliseconds, and for how many at most. In a list a
 * refusal counts for longer, so that a stranger’s look at it uses up little of the App’s rate limit.
 */
const [accessMs, refusalMs] = [60_000, 10 * 60_000];
const maxAccesses = 10_000;

/** Built once per isolate. */
let pages: Hono | null = null;

export async function composePages(env: Env): Promise<Hono> {
  if (pages !== null) return pages;
  const [{ pageRoutes }, { openLinks }] = await Promise.all([
    import('../web/pages/routes.ts'),
    import('../web/pages/open-link.ts'),
  ]);
  const { settings, github } = baseOf(env);
  const { botId } = platformOf(env);
  const signer = createSigner(settings.githubAppPrivateKey);
  const { signIn } = settings;
  const signInApi = signIn === null ? null : { ...github, ...signIn };
  pages ??= pageRoutes({
    signer,
    signIn:
      signInApi === null
        ? null
        : {
            address: (asked) => authorizeAddress(signInApi, asked),
            person: async (asked) => await personOfCode(signInApi, asked),
          },
    openLinks: botId === null ? null : openLinks(signer, botId),
    url: settings.url,
    githubUrl: settings.githubUrl,
    isListed: async (taskId) =>
      await ask('looking for a task', async () => await slotsObjectOf(env).isListed(taskId)),
    task: (taskId) => taskOf(env, taskId),
    ledger: async (query) => await listLedger(env, query),
    repositories: async (limit) =>
      await ask(
        'listing the repositories of the ledger',
        async () => await ledgerOf(env).repositories(limit),
      ),
    accessOf: cachedAccess(env),
    retryPublication: async (taskId, approval) => await retryPublication(env, taskId, approval),
    runAgain: async (taskId, requester) =>
      await runAgain(taskId, requester, {
        recordOf: (other) => recordOf(env, other),
        start: async (request) => await start(env, request),
        now,
      }),
    now,
    pause: async (ms) => await new Promise((resolve) => setTimeout(resolve, ms)),
    log,
  });
  return pages;
}

function taskOf(env: Env, taskId: string): PageTask {
  const record = recordOf(env, taskId);
  return {
    subject: async () => await record.snapshot(),
    view: async () => await record.view(),
    linesBefore: async (before, atMost) => await record.events(atMost, before),
    linesAfter: async (after, atMost) => await record.eventsAfter(after, atMost),
    watch: async (after) => await record.watch(after),
    kept: async (name) => await record.kept(name),
    cancel: async (by) => await record.cancel(by),
    addRemark: async (remark) => await record.addRemark(remark),
  };
}

/** Caches values, not promises: in workerd no request may await another's I/O. */
function cachedAccess(env: Env): PageDeps['accessOf'] {
  const known = new Map<string, { readonly at: number; readonly access: RepositoryAccess | null }>();
  return async (place, person, asked) => {
    const key = `${place.repositoryId}:${person.id}`;
    const cached = known.get(key);
    if (cached !== undefined && asked !== 'action') {
      const isRefused = pageAccess(person, cached.access) === 'none';
      const countsMs = asked === 'list' && isRefused ? refusalMs : accessMs;
      if (now() - cached.at < countsMs) return cached.access;
    }
    const access = await repositoryAccess(baseOf(env).github, place, person);
    known.delete(key);
    known.set(key, { at: now(), access });
    // The oldest is the first.
    for (const oldest of known.keys()) {
      if (known.size <= maxAccesses) break;
      known.delete(oldest);
    }
    return access;
  };
}
