/** What became of the tasks that a person may see, what they took and cost: the tables of `npm run report`. Pure. */
import { reportCells, reportHeads, reportSections, restOfReport, type Summary } from '../report.ts';
import { visibleLine } from './visible-text.ts';

export interface Outcomes {
  readonly summary: Summary;
  /** Days as `2026-11-30`; empty: the last ninety. */
  readonly filters: Readonly<Record<'repository' | 'person' | 'since' | 'until', string>>;
  /** False: only the newest tasks are counted. */
  readonly complete: boolean;
}

/** Of the sections of a report, whose titles head a column. */
const headings: Readonly<Record<string, string>> = {
  All: 'All tasks',
  Repository: 'By repository',
  Person: 'By person',
  'Week of': 'By week',
};

export function OutcomesPage({ summary, filters, complete }: Outcomes) {
  const query = new URLSearchParams(filters).toString();
  const field = (name: keyof Outcomes['filters'], label: string, type: 'text' | 'date') => (
    <label>
      {label}
      <input type={type} name={name} value={filters[name]} maxlength={200} />
    </label>
  );
  return (
    <>
      <h1>Outcomes</h1>
      <p>
        <a href="/tasks">All tasks</a> · <a href={`/tasks/outcomes.csv?${query}`}>These tasks as CSV</a>
      </p>
      <form class="filters" role="search">
        {field('repository', 'Repository (owner/name)', 'text')}
        {field('person', 'Asked by', 'text')}
        {field('since', 'From (90 days ago)', 'date')}
        {field('until', 'Before (now)', 'date')}
        <button>Show</button>
      </form>
      {complete ? null : (
        <p role="status">There are too many tasks: only the newest are counted. Choose fewer days.</p>
      )}
      {reportSections(summary).map(([title, groups]) => (
        <section>
          <h2>{headings[title] ?? title}</h2>
          <div class="scroll" tabindex={0} role="region" aria-label={title}>
            <table class="list numbers">
              <thead>
                <tr>
                  {[title, ...reportHeads].map((head) => (
                    <th scope="col">{head}</th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {groups.map((group) => (
                  <tr>
                    <th scope="row">{visibleLine(group.name, 200)}</th>
                    {reportCells(group).map((cell) => (
                      <td>{cell}</td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      ))}
      <p class="quiet">{restOfReport(summary)} Days are by UTC; a week is named by its Monday.</p>
    </>
  );
}
