/** `npm run chaos`: harms whole bots in every place; each task still has to end once and leave nothing. */
import { availableParallelism } from 'node:os';
import { jsonOption } from '../cli/command/read-arguments.ts';
import { runCommand, UsageProblem } from '../cli/command/run-command.ts';
import { dim } from '../cli/terminal/colour.ts';
import { allCases } from './all-cases.ts';
import { callIds } from './calls/call-cases.ts';
import { groupNames, type CaseResult, type ChaosCase } from './case.ts';
import { caseLine, reportOf, tableOf } from './report.ts';
import { runStorm } from './run-storm.ts';
import { runCases } from './run-cases.ts';

/** A recorded run finds the cases of calls, so it is left out where none is wanted. */
const mayBeCall = (start: string): boolean => start.startsWith(callIds) || callIds.startsWith(start);

await runCommand({
  name: 'npm run chaos',
  takes: '[GROUP…]',
  about: `Starts whole bots on this machine, between simulators, and harms each task in another way: kills the
Worker, the host or the sandbox at each step. Then checks that the task has one answer, at most one pull
request with the right change, no sandbox, process, mount, folder or token left, and a readable record.
Takes up to 20 minutes on two processors. The group storm, which runs only by name, sends one bot ten
thousand deliveries of a thousand triggers: each has to become one task.`,
  options: {
    only: {
      type: 'string',
      multiple: true,
      value: 'ID',
      about: 'run only the cases whose id begins with this; can be repeated',
    },
    list: { type: 'boolean', about: 'list the cases without running them' },
    lanes: { type: 'string', value: 'N', about: 'bots side by side (default: six for each processor)' },
    json: jsonOption(
      'print { cases, killPoints, violations, results: [{ id, phase, injected, answers,\npullRequests, sandboxesLeft, tokensLeft, recoveryMs, ok, … }] }',
    ),
  },
  more: `Groups: ${groupNames.join(', ')}. Without one, all but storm run.

Exit status: 0 no violation, 1 violations, 2 wrong usage, 130 interrupted.`,
  run: async ({ values, positionals, say, onStop }) => {
    const unknown = positionals.filter((name) => !groupNames.some((group) => group === name));
    if (unknown.length > 0)
      throw new UsageProblem(`There is no group ${unknown.join(', ')}. Try npm run chaos -- --help`);
    const only = values.only ?? [];
    const groups = groupNames
      .filter((name) => positionals.length === 0 || positionals.includes(name))
      .filter((name) => name !== 'calls' || only.length === 0 || only.some(mayBeCall));
    const stop = new AbortController();
    onStop(() => stop.abort(new Error('interrupted')));
    let chosen: readonly ChaosCase[];
    try {
      chosen = await allCases(groups, stop.signal);
    } catch (error) {
      if (!stop.signal.aborted) throw error;
      return 130;
    }
    chosen = chosen.filter(({ id }) => only.length === 0 || only.some((start) => id.startsWith(start)));
    const withStorm = positionals.includes('storm');
    if (chosen.length === 0 && !withStorm)
      throw new UsageProblem('There is no such case. Try npm run chaos -- --list');
    const lanes = Number(values.lanes ?? 6 * availableParallelism());
    if (!Number.isInteger(lanes) || lanes < 1) throw new UsageProblem('--lanes needs a number from 1');
    if (values.list === true) {
      for (const { id, phase, injected } of chosen) say(`${id}  ${dim(`${phase}: ${injected}`)}`);
      return 0;
    }
    const progress = (line: string): void => void process.stderr.write(`${line}\n`);
    let done = 0;
    try {
      const results = await runCases(chosen, {
        lanes,
        signal: stop.signal,
        progress,
        onResult: (result: CaseResult) => {
          done += 1;
          progress(`${done}/${chosen.length} ${caseLine(result)}`);
        },
      });
      const report = reportOf(withStorm ? [...results, await runStorm(progress, stop.signal)] : results);
      say(values.json === true ? JSON.stringify(report, null, 2) : tableOf(report));
      return report.violations === 0 ? 0 : 1;
    } catch (error) {
      if (!stop.signal.aborted) throw error;
      progress(`Interrupted after ${done} results; everything is cleaned up.`);
      return 130;
    }
  },
});
