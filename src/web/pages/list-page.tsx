/** The list of tasks that a person may see: what waits for a person first, then the newest. Pure. */
import { pullStateOf, type LedgerRow } from '../../core/ledger.ts';
import { ageText } from '../../core/task-words.ts';
import { visibleLine } from './visible-text.ts';

const states = {
  held: 'waits for an approval',
  choosing: 'waits for a choice of its repository',
  running: 'runs',
  waiting: 'waits',
  ended: 'has ended',
} as const;
const places = { github: 'on GitHub', slack: 'in Slack', api: 'through the API' } as const;
const ends: Readonly<Record<NonNullable<LedgerRow['outcome']>, string>> = {
  'pull-request': 'pull request',
  'no-change': 'no change',
  refused: 'refused',
  held: 'held',
  failed: 'failed',
  cancelled: 'cancelled',
  patch: 'patch',
  replied: 'answered',
  steered: 'added to a running task',
  ignored: 'ignored',
  answered: 'answered',
};
const jobs = {
  change: 'Change',
  question: 'Question',
  'fix-checks': 'Checks to fix',
  'resolve-conflicts': 'Conflicts to resolve',
  command: 'Command',
} as const;

export interface Filters {
  readonly state: string;
  readonly repository: string;
  readonly person: string;
  readonly place: string;
  readonly search: string;
}

export interface TaskList {
  /** Not asked for with a filter or a later page. */
  readonly forPeople: readonly LedgerRow[];
  readonly rows: readonly LedgerRow[];
  readonly filters: Filters;
  /** The query of the next page; null on the last. */
  readonly next: string | null;
  readonly now: number;
}

export function ListPage({ forPeople, rows, filters, next, now }: TaskList) {
  return (
    <>
      <h1>Tasks</h1>
      <p>
        <a href="/tasks/outcomes">Outcomes and cost</a>
      </p>
      <FilterForm filters={filters} />
      {forPeople.length === 0 ? null : <Table title="Waiting for a person" rows={forPeople} now={now} />}
      {rows.length === 0 ? (
        <p>No task that you may see is like this.</p>
      ) : (
        <Table title="All, the newest first" rows={rows} now={now} />
      )}
      {next === null ? null : (
        <p>
          <a href={`/tasks?${next}`}>Show earlier tasks</a>
        </p>
      )}
    </>
  );
}

function Table(shown: { readonly title: string; readonly rows: readonly LedgerRow[]; readonly now: number }) {
  return (
    <section>
      <h2>{shown.title}</h2>
      <div class="scroll" tabindex={0} role="region" aria-label={shown.title}>
        <table class="list">
          <thead>
            <tr>
              {['Task', 'State', 'Repository', 'Asked by', 'Pull request', 'Asked'].map((name) => (
                <th scope="col">{name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.rows.map((row) => (
              <Row row={row} now={shown.now} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Row({ row, now }: { readonly row: LedgerRow; readonly now: number }) {
  const { taskId, shortId, title, issue, asked, state, outcome, code, repository, requester, place, pull } =
    row;
  return (
    <tr>
      <td>
        <a href={`/t/${taskId}`}>{title === null ? `${jobs[asked]} ${shortId}` : visibleLine(title, 200)}</a>
        {title === null ? null : (
          <span class="quiet">
            {' '}
            {jobs[asked]} {shortId}
          </span>
        )}
      </td>
      <td>
        {state === 'ended' && outcome !== null ? ends[outcome] : states[state]}
        {state !== 'ended' || code === null ? null : <span class="quiet"> {visibleLine(code, 100)}</span>}
      </td>
      <td>
        {visibleLine(repository ?? '', 200)}
        {issue === null ? '' : ` #${issue}`}
      </td>
      <td>
        {visibleLine(requester ?? '', 100)} <span class="quiet">{places[place]}</span>
      </td>
      <td>{pull === null ? '' : `#${pull}, ${pullStateOf(row)}`}</td>
      <td>
        <time datetime={new Date(row.acceptedAt).toISOString()}>{ageText(now - row.acceptedAt)}</time>
      </td>
    </tr>
  );
}

function FilterForm({ filters }: { readonly filters: Filters }) {
  const text = (name: 'repository' | 'person', label: string) => (
    <label>
      {label}
      <input name={name} value={filters[name]} maxlength={200} />
    </label>
  );
  const choice = (name: 'state' | 'place', label: string, options: Readonly<Record<string, string>>) => (
    <label>
      {label}
      <select name={name}>
        <option value="">any</option>
        {Object.entries(options).map(([value, words]) => (
          <option value={value} selected={filters[name] === value}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <form class="filters" role="search">
      <label>
        Words, names or #number
        <input type="search" name="search" value={filters.search} maxlength={200} />
      </label>
      {choice('state', 'State', states)}
      {text('repository', 'Repository (owner/name)')}
      {text('person', 'Asked by')}
      {choice('place', 'Place', places)}
      <button>Show</button>
    </form>
  );
}
