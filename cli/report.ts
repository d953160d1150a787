/** `npm run report`: what became of the tasks of a running bot, what they took and what they cost. */
import { csvOf, dayMs, defaultReportDays, startOfDay, summaryOf } from '../src/web/report.ts';
import { jsonOption } from './command/read-arguments.ts';
import { runCommand, UsageProblem } from './command/run-command.ts';
import { reportLines } from './report/report-lines.ts';
import { botOf, readLedger } from './task/bot-api.ts';

await runCommand({
  name: 'npm run report',
  about:
    'Reports on the tasks of a running Airlock (npm start): how many became a pull request, merged or closed,\n' +
    'the time to it and to its merge, tokens and cost, by repository, person and week.',
  options: {
    since: {
      type: 'string',
      value: 'DATE',
      about: `first day, as 2026-11-30 (${defaultReportDays} days ago)`,
    },
    until: { type: 'string', value: 'DATE', about: 'the day after the last one (now)' },
    repository: { type: 'string', value: 'OWNER/REPO', about: 'only this repository' },
    person: { type: 'string', value: 'NAME', about: 'only the tasks of this login, or name in Slack' },
    url: { type: 'string', value: 'URL', about: 'address of the bot (http://127.0.0.1:$PORT, PORT 8787)' },
    csv: { type: 'boolean', about: 'print one line a task: who, what, when, where, result' },
    json: jsonOption('print one JSON document'),
  },
  more:
    'Needs the API_TOKEN of the bot, from the environment or .dev.vars. Days are by UTC. Airlock keeps what\n' +
    'the report needs for 400 days; of words only the title, and no code.\n' +
    'Exit status: 0 reported, 1 no bot answers, or without a right token, 2 wrong usage.',
  run: async ({ values, say }) => {
    if (values.csv === true && values.json === true) throw new UsageProblem('Choose --csv or --json.');
    const { repository, person } = values;
    const from =
      dayOf('--since', values.since) ?? new Date(Date.now() - defaultReportDays * dayMs).toISOString();
    const until = dayOf('--until', values.until);
    const rows = await readLedger(await botOf(values.url), { from, until, repository, person });
    const summary = summaryOf(rows);
    if (values.csv === true) say(csvOf(rows).trimEnd());
    else
      say(
        values.json === true
          ? JSON.stringify({ from, until, ...summary }, null, 2)
          : reportLines(summary).join('\n'),
      );
    return 0;
  },
});

function dayOf(option: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const at = startOfDay(text);
  if (at === null) throw new UsageProblem(`${option} takes a day, as 2026-11-30.`);
  return new Date(at).toISOString();
}
