/** `npm run probe`: attacks a sandbox of the real bot from inside and prints what each attempt got. */
import { parseArgs } from 'node:util';
import type { Result } from './result.ts';
import { groupNames, listProbes, runSuite, type Report } from './suite.ts';
import { attacksFor, driverNames } from './attacks/drivers.ts';
import { allAttacks } from './attacks/table.ts';
import { onStopSignal } from '../host/stop-signals.ts';
import { bold, dim, green, red } from '../cli/terminal/colour.ts';

const help = `npm run probe [-- options]

Starts a whole Airlock on this machine, between a simulated GitHub and a model that obeys an attacker. Tries from inside the task's sandbox to get something out: credentials, the source, a push, a connection.
Takes one to two minutes; nothing leaves the machine.

  --group NAME   runs only this group; can be repeated
  --list         lists the probes without running them, and how many attacks of the table each driver runs
  --json         { total, passed, leaked, notRun, leftOut, results: [{ id, group, expected, got, ok }] }
  --failed       prints only the probes that did not get what is expected

Groups:
${groupNames.map(({ name, about }) => `  ${name.padEnd(18)} ${about}`).join('\n')}

Exit status: 0 every probe got what is expected, 1 a probe leaked or could not run, 2 usage, 130 interrupted.
`;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', short: 'h' },
      list: { type: 'boolean' },
      json: { type: 'boolean' },
      failed: { type: 'boolean' },
      group: { type: 'string', multiple: true },
    },
  });
  if (values.help === true) {
    process.stdout.write(help);
    return 0;
  }
  const unknown = (values.group ?? []).filter((name) => !groupNames.some((group) => group.name === name));
  if (unknown.length > 0) {
    process.stderr.write(`There is no group ${unknown.join(', ')}. Try npm run probe -- --help\n`);
    return 2;
  }
  const isWanted = ({ group }: { group: string }) =>
    values.group === undefined || values.group.includes(group);
  if (values.list === true) {
    const listed = listProbes().filter(isWanted);
    if (values.json === true) say(JSON.stringify({ total: listed.length, probes: listed }, null, 2));
    else {
      for (const { group, rows } of byGroup(listed))
        printGroup(
          group,
          rows.map(({ id, attack, expected }) => `  ${attack}\n  ${dim(`${id}: ${expected}`)}`),
        );
      const counts = driverNames.map((driver) => `${driver} ${attacksFor(driver, allAttacks).length}`);
      say(`\n${allAttacks.length} attacks in the table, run by: ${counts.join(', ')}`);
    }
    return 0;
  }
  const startedAt = performance.now();
  const stop = new AbortController();
  let done = 0;
  let report: Report;
  try {
    report = await runSuite({
      groups: values.group ?? null,
      signal: stop.signal,
      progress: (line) => void process.stderr.write(`${dim(line)}\n`),
      onStarted: () => onStopSignal(() => stop.abort(new Error('interrupted'))),
      onResult: () => (done += 1),
    });
  } catch (error) {
    if (stop.signal.aborted) {
      process.stderr.write(`Interrupted after ${done} results; everything is cleaned up.\n`);
      return 130;
    }
    throw error;
  }
  const { total, passed, leaked, notRun, leftOut, results } = report;
  if (values.json === true) say(JSON.stringify(report, null, 2));
  else {
    for (const { group, rows } of byGroup(results))
      printGroup(group, rows.filter(({ ok }) => values.failed !== true || !ok).map(row), rows);
    say('');
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
    const verdict = `${total} probes: ${passed} got what is expected, ${leaked} leaked, ${notRun} could not run (${seconds} s)`;
    say(leaked + notRun === 0 ? green(verdict) : red(verdict));
    if (leftOut > 0)
      say(`${leftOut} were left out: the interpreter that they are written for is not on this machine`);
  }
  return leaked + notRun === 0 ? 0 : 1;
}

function row({ id, attack, expected, got, ok, ran }: Result): string {
  const mark = ok ? green('✓') : red(ran ? '✗' : '?');
  const outcome = `expected ${expected} · got ${got}`;
  return `${mark} ${attack}\n  ${ok ? dim(outcome) : red(`${id}: ${outcome}`)}`;
}

function byGroup<Row extends { group: string }>(
  rows: readonly Row[],
): { group: string; rows: readonly Row[] }[] {
  return groupNames.flatMap(({ name }) => {
    const own = rows.filter(({ group }) => group === name);
    return own.length === 0 ? [] : [{ group: name, rows: own }];
  });
}

function printGroup(name: string, lines: readonly string[], rows: readonly { ok?: boolean }[] = []): void {
  const about = groupNames.find((group) => group.name === name)?.about ?? '';
  const count =
    rows.length === 0 ? `${lines.length}` : `${rows.filter(({ ok }) => ok).length} of ${rows.length}`;
  say(`\n${bold(name)} ${dim(`(${count}) ${about}`)}`);
  for (const line of lines) say(line);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof TypeError && 'code' in error ? 2 : 1;
}
