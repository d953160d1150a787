/** `/tasks`: tasks of the ledger, of the repositories that a person may see. */
import { Hono } from 'hono';
import { pageAccess } from '../../core/access/page-access.ts';
import { ledgerPlaces, ledgerStates, type LedgerQuery, type LedgerRow } from '../../core/ledger.ts';
import { accessTo, sessionFor } from './gate.ts';
import { ListPage, type Filters } from './list-page.tsx';
import type { PageDeps } from './page-deps.ts';
import type { Session } from './session.ts';
import { page } from './shell.tsx';
import { notSignedIn } from './sign-in-routes.ts';

/** Rows of a page, and of one look into the ledger; how many looks find a page's rows. */
const [shownAtOnce, lookedAtOnce, maxLooks] = [50, 100, 5];

export function listRoutes(deps: PageDeps): Hono {
  const routes = new Hono();
  routes.get('/tasks', async (c) => {
    const session = await sessionFor(c, deps);
    if (session === null) return await notSignedIn(c, deps, '/tasks');
    const filter = (name: string) => (c.req.query(name) ?? '').trim().slice(0, 200);
    const [state, repository, person, place] = ['state', 'repository', 'person', 'place'].map(filter);
    const filters: Filters = {
      state: state ?? '',
      repository: repository ?? '',
      person: person ?? '',
      place: place ?? '',
    };
    const query: Omit<LedgerQuery, 'after' | 'limit'> = {
      state: ledgerStates.find((one) => one === filters.state),
      place: ledgerPlaces.find((one) => one === filters.place),
      ...(filters.repository === '' ? {} : { repository: filters.repository }),
      ...(filters.person === '' ? {} : { person: filters.person }),
    };
    const [, at, taskId] = /^(\d{1,16})\.([a-z0-9][a-z0-9-]{0,62})$/.exec(filter('after')) ?? [];
    const after = at === undefined || taskId === undefined ? undefined : { acceptedAt: Number(at), taskId };
    const may = mayLook(session, deps);
    const isFirst = after === undefined && Object.values(filters).every((value) => value === '');
    const held = isFirst ? (await visibleRows({ state: 'held' }, undefined, may, deps)).rows : [];
    const { rows, last } = await visibleRows(query, after, may, deps);
    const next =
      last === null
        ? null
        : new URLSearchParams({ ...filters, after: `${last.acceptedAt}.${last.taskId}` }).toString();
    const children = <ListPage held={held} rows={rows} filters={filters} next={next} now={deps.now()} />;
    return await page(c, { title: 'Tasks', session, children });
  });
  return routes;
}

type MayLook = (row: LedgerRow) => Promise<boolean>;

/** `last`: the row after which the next page begins; null if there is none. */
async function visibleRows(
  query: Omit<LedgerQuery, 'after' | 'limit'>,
  from: LedgerQuery['after'],
  may: MayLook,
  { ledger }: PageDeps,
): Promise<{ readonly rows: readonly LedgerRow[]; readonly last: LedgerRow | null }> {
  const rows: LedgerRow[] = [];
  let last: LedgerRow | null = null;
  for (let look = 0; look < maxLooks; look += 1) {
    const found = await ledger({ ...query, after: last ?? from, limit: lookedAtOnce });
    for (const row of found) {
      if (await may(row)) rows.push(row);
      last = row;
      if (rows.length === shownAtOnce) return { rows, last };
    }
    if (found.length < lookedAtOnce) return { rows, last: null };
  }
  return { rows, last };
}

/** Asks GitHub once for each repository. A record of one of its tasks knows the installation. */
function mayLook(session: Session, deps: PageDeps): MayLook {
  const known = new Map<number, boolean>();
  return async ({ repositoryId, taskId }) => {
    if (session.viewer.kind === 'operator') return true;
    if (repositoryId === null) return false;
    const before = known.get(repositoryId);
    if (before !== undefined) return before;
    const subject = await deps.task(taskId).subject();
    // The record has expired: one of a newer task of the repository may know.
    if (subject === null) return false;
    const access = pageAccess(session.viewer, await accessTo(subject.place, session, deps, false));
    known.set(repositoryId, access !== 'none');
    return access !== 'none';
  };
}
