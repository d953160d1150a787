/**
 * `/tasks` and `/tasks/outcomes`: what the ledger has of the repositories that a person may see. The ledger
 * gets these repositories with each query, so that neither what is shown nor the time that it takes tells
 * anything about a task that stays hidden.
 */
import { Hono } from 'hono';
import { pageAccess } from '../../core/access/page-access.ts';
import { ledgerPlaces, ledgerStates, type LedgerQuery, type LedgerRow } from '../../core/ledger.ts';
import { boundedAll } from '../../lib/bounded-all.ts';
import { afterOf, cursorOf, cursorSchema, ledgerRowJson } from '../ledger-page.ts';
import { csvOf, dayMs, defaultReportDays, startOfDay, summaryOf } from '../report.ts';
import { accessTo, sessionFor } from './gate.ts';
import { ListPage, type Filters } from './list-page.tsx';
import { OutcomesPage } from './outcomes-page.tsx';
import type { PageDeps } from './page-deps.ts';
import type { Session } from './session.ts';
import { page, setPageHeaders } from './shell.tsx';
import { notSignedIn } from './sign-in-routes.ts';

const shownAtOnce = 50;
/** Repositories that GitHub is asked about, those with the newest tasks first, and how many at once. */
const [maxRepositories, askedAtOnce] = [50, 10];
/** Rows of one look into the ledger, and of outcomes in all, the newest first. */
const [lookedAtOnce, maxSummed] = [1000, 20_000];

export function listRoutes(deps: PageDeps): Hono {
  const routes = new Hono();
  routes.get('/tasks', async (c) => {
    const session = await sessionFor(c, deps);
    if (session === null) return await notSignedIn(c, deps, '/tasks');
    const filters = filtersOf((name) => c.req.query(name));
    const query: Omit<LedgerQuery, 'limit'> = {
      ...queryOf(filters),
      repositoryIds: await readableRepositories(session, deps),
    };
    const after = afterOf(cursorSchema.catch(undefined).parse(c.req.query('after')));
    const isFirst = after === undefined && Object.values(filters).every((value) => value === '');
    const of = async (more: Partial<LedgerQuery>) =>
      await deps.ledger({ ...query, limit: shownAtOnce, ...more });
    const [held, choosing, found] = await Promise.all([
      isFirst ? of({ state: 'held' }) : [],
      isFirst ? of({ state: 'choosing' }) : [],
      of({ after, limit: shownAtOnce + 1 }),
    ]);
    const rows = found.slice(0, shownAtOnce);
    const last = found.length > shownAtOnce ? rows.at(-1) : undefined;
    const next =
      last === undefined ? null : new URLSearchParams({ ...filters, after: cursorOf(last) }).toString();
    const list = { forPeople: [...held, ...choosing], rows, filters, next, now: deps.now() };
    return await page(c, { title: 'Tasks', session, children: <ListPage {...list} /> });
  });

  routes.get('/tasks/:form{outcomes|outcomes\\.csv}', async (c) => {
    const session = await sessionFor(c, deps);
    if (session === null) return await notSignedIn(c, deps, '/tasks/outcomes');
    const { repository, person } = filtersOf((name) => c.req.query(name));
    const day = (name: string) => (startOfDay(c.req.query(name) ?? '') === null ? '' : c.req.query(name));
    const [since = '', until = ''] = [day('since'), day('until')];
    const from = startOfDay(since) ?? deps.now() - defaultReportDays * dayMs;
    const repositoryIds = await readableRepositories(session, deps);
    const query = {
      ...queryOf({ state: '', place: '', search: '', repository, person }),
      from,
      until: startOfDay(until) ?? undefined,
      repositoryIds,
    };
    const { rows, complete } = await allRows(query, deps);
    const jsons = rows.map(ledgerRowJson);
    if (c.req.param('form') === 'outcomes.csv') {
      setPageHeaders(c);
      const name = complete ? 'airlock-tasks' : 'airlock-newest-tasks';
      c.header('content-disposition', `attachment; filename="${name}.csv"`);
      return c.body(csvOf(jsons), 200, { 'content-type': 'text/csv; charset=utf-8' });
    }
    const shown = { summary: summaryOf(jsons), filters: { repository, person, since, until }, complete };
    return await page(c, { title: 'Outcomes', session, children: <OutcomesPage {...shown} /> });
  });
  return routes;
}

function filtersOf(untrusted: (name: string) => string | undefined): Filters {
  const text = (name: string) => (untrusted(name) ?? '').trim().slice(0, 200);
  return {
    state: text('state'),
    repository: text('repository'),
    person: text('person'),
    place: text('place'),
    search: text('search'),
  };
}

function queryOf({ state, repository, person, place, search }: Filters): Omit<LedgerQuery, 'limit'> {
  return {
    state: ledgerStates.find((one) => one === state),
    place: ledgerPlaces.find((one) => one === place),
    ...(repository === '' ? {} : { repository }),
    ...(person === '' ? {} : { person }),
    ...(search === '' ? {} : { search }),
  };
}

/** Undefined: all, and tasks without a repository. Asks GitHub about each, whatever the query is. */
async function readableRepositories(
  session: Session,
  deps: PageDeps,
): Promise<readonly number[] | undefined> {
  const { viewer } = session;
  if (viewer.kind === 'operator') return undefined;
  const places = await deps.repositories(maxRepositories);
  const readable = await boundedAll(places, askedAtOnce, async (place) => {
    const access = pageAccess(viewer, await accessTo(place, session, deps, 'list'));
    return access === 'none' ? [] : [place.repositoryId];
  });
  return readable.flat();
}

async function allRows(
  query: Omit<LedgerQuery, 'limit'>,
  { ledger }: PageDeps,
): Promise<{ readonly rows: readonly LedgerRow[]; readonly complete: boolean }> {
  const rows: LedgerRow[] = [];
  for (;;) {
    const found = await ledger({ ...query, after: rows.at(-1), limit: lookedAtOnce });
    rows.push(...found);
    if (found.length < lookedAtOnce) return { rows, complete: true };
    if (rows.length >= maxSummed) return { rows, complete: false };
  }
}
