/** `npm run probe`: attacks a sandbox of the real bot from inside and prints what each attempt got. */
import type { Result } from './result.ts';
import { prove, type Proven } from './prove.ts';
import { probedSandboxes } from './probe.ts';
import {
  groupNames,
  isSelected,
  listProbes,
  notShownOf,
  runSuite,
  type NotShown,
  type Report,
} from './suite.ts';
import { attacksFor, driverNames } from './attacks/drivers.ts';
import { allAttacks } from './attacks/table.ts';
import { jsonOption } from '../cli/command/read-arguments.ts';
import { runCommand, UsageProblem } from '../cli/command/run-command.ts';
import { bold, dim, green, red } from '../cli/terminal/colour.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

await runCommand({
  name: 'npm run probe',
  about:
    'Starts a whole Airlock on this machine, between a simulated GitHub and a model that obeys an attacker.\n' +
    'Tries from inside the task’s sandbox to get something out: credentials, the source, a push, a connection.\n' +
    'Takes two to three minutes; nothing leaves the machine.',
  options: {
    group: {
      type: 'string',
      multiple: true,
      value: 'NAME',
      about: 'run only this group; can be repeated',
    },
    probe: {
      type: 'string',
      multiple: true,
      value: 'ID',
      about: 'run only this probe, such as host/docker; can be repeated',
    },
    sandbox: {
      type: 'string',
      value: probedSandboxes.join('|'),
      about:
        'where: local (the default), or in a container of a deployment, here over a\nfake engine; what that cannot show is listed with the reason',
    },
    list: {
      type: 'boolean',
      about: 'list the probes without running them, and how many attacks of the table each\ndriver runs',
    },
    json: jsonOption(
      'print { total, passed, leaked, notRun, leftOut, nothingThere, notShown,\nresults: [{ id, group, expected, got, ok, ran }] }',
    ),
    prove: {
      type: 'boolean',
      about:
        'prove probes: take one protection after the other away, in a copy of the programs,\nand run its probes against the copy; each must leak. Takes about seven minutes',
    },
    failed: { type: 'boolean', about: 'print only the probes that did not get what is expected' },
  },
  more: `Groups:
${groupNames.map(({ name, about }) => `  ${name.padEnd(18)} ${about}`).join('\n')}

Exit status: 0 every probe got what is expected, 1 a probe leaked or could not try, 2 wrong usage,
130 interrupted.`,
  run: async ({ values, onStop }) => {
    const sandbox = probedSandboxes.find((kind) => kind === (values.sandbox ?? 'local'));
    if (sandbox === undefined)
      throw new UsageProblem(`--sandbox takes ${probedSandboxes.join(', ')}. Try npm run probe -- --help`);
    // Each proof knows its own sandbox.
    const all = values.prove === true ? probedSandboxes.flatMap(listProbes) : listProbes(sandbox);
    const groups = values.group ?? [];
    const ids = values.probe ?? [];
    const unknownGroup = groups.find((name) => !groupNames.some((group) => group.name === name));
    if (unknownGroup !== undefined)
      throw new UsageProblem(`There is no group ${unknownGroup}. Try npm run probe -- --help`);
    const unknownId = ids.find((id) => !all.some((probe) => probe.id === id));
    if (unknownId !== undefined)
      throw new UsageProblem(`There is no probe ${unknownId}. Try npm run probe -- --list`);
    const only = groups.length + ids.length === 0 ? null : [...groups, ...ids];
    if (values.list === true) {
      const listed = all.filter(({ id }) => isSelected(only, id));
      if (values.json === true) say(JSON.stringify({ total: listed.length, probes: listed }, null, 2));
      else {
        for (const { group, rows } of byGroup(listed))
          printGroup(
            group,
            rows.map(({ id, attack, expected }) => `  ${attack}\n  ${dim(`${id}: ${expected}`)}`),
          );
        const counts = driverNames.map((driver) => `${driver} ${attacksFor(driver, allAttacks).length}`);
        sayNotShown(
          notShownOf(
            sandbox,
            listed.map(({ id }) => id),
          ),
        );
        say(`\n${allAttacks.length} attacks in the table, run by: ${counts.join(', ')}`);
      }
      return 0;
    }
    const startedAt = performance.now();
    const stop = new AbortController();
    const progress = (line: string) => void process.stderr.write(`${dim(line)}\n`);
    if (values.prove === true) {
      onStop(() => stop.abort(new Error('interrupted')));
      try {
        const proven = await prove((id) => isSelected(only, id), stop.signal, progress);
        say(values.json === true ? JSON.stringify(proven, null, 2) : proofTable(proven));
        return proven.every(({ ok }) => ok) ? 0 : 1;
      } catch (error) {
        if (!stop.signal.aborted) throw error;
        process.stderr.write('Interrupted; the copy is removed.\n');
        return 130;
      }
    }
    let done = 0;
    let report: Report;
    try {
      report = await runSuite({
        sandbox,
        only,
        signal: stop.signal,
        progress,
        onStarted: () => onStop(() => stop.abort(new Error('interrupted'))),
        onResult: () => (done += 1),
      });
    } catch (error) {
      if (stop.signal.aborted) {
        process.stderr.write(`Interrupted after ${done} results; everything is cleaned up.\n`);
        return 130;
      }
      throw error;
    }
    const { total, passed, leaked, notRun, leftOut, nothingThere, notShown, results } = report;
    if (values.json === true) say(JSON.stringify(report, null, 2));
    else {
      for (const { group, rows } of byGroup(results))
        printGroup(group, rows.filter(({ ok }) => values.failed !== true || !ok).map(row), rows);
      sayNotShown(notShown);
      say('');
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
      const verdict = `${total} probes: ${passed} got what is expected, ${leaked} leaked, ${notRun} could not try (${seconds} s)`;
      say(leaked + notRun === 0 ? green(verdict) : red(verdict));
      if (nothingThere > 0)
        say(`${nothingThere} of them had nothing to reach: this machine has no such file or socket`);
      if (leftOut > 0)
        say(`${leftOut} were left out: the interpreter that they are written for is not on this machine`);
    }
    return leaked + notRun === 0 ? 0 : 1;
  },
});

function sayNotShown(notShown: readonly NotShown[]): void {
  for (const [why, rows] of Map.groupBy(notShown, (one) => one.why)) {
    say(`\n${bold(`not shown (${rows.length})`)} ${dim(why)}`);
    say(dim(`  ${rows.map(({ id }) => id).join(', ')}`));
  }
}

function row({ id, attack, expected, got, ok, ran, nothingThere }: Result): string {
  const mark = ok ? green('✓') : red(ran ? '✗' : '?');
  const outcome = `expected ${expected} · got ${got}${nothingThere === true ? ' · not on this machine' : ''}`;
  return `${mark} ${attack}\n  ${ok ? dim(outcome) : red(`${id}: ${outcome}`)}`;
}

function proofTable(proven: readonly Proven[]): string {
  const rows = proven.map(({ id, protection, ...got }) => [id, protection, got.with, got.without] as const);
  const head = ['probe', 'protection taken away', 'with protection', 'without'] as const;
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(' | ')
      .trimEnd();
  const leaking = proven.filter(({ ok }) => ok).length;
  const verdict = `${proven.length} probes: ${leaking} pass with their protection and leak without it`;
  return [
    ...[head, widths.map((width) => '-'.repeat(width))].map(line),
    ...rows.map((cells, at) => (proven[at]?.ok === true ? line(cells) : red(line(cells)))),
    '',
    leaking === proven.length ? green(verdict) : red(verdict),
  ].join('\n');
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
