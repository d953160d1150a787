/**
 * Run by `bench/record.ts` with sizes as arguments. Prints as JSON how many events of Codex the record folds
 * and stores in a second of processor time, for runs of each size, ten events a read, and how many a minimal
 * program does: parse the line, insert it.
 */
import { DatabaseSync } from 'node:sqlite';
import { taskLimits } from '../../src/tasks/limits.ts';
import { print, processorSeconds, programArguments } from '../fixtures/own-process.ts';
import { linesOf, startLongRun } from './long-run.ts';

const rounds = 3;
/** Together the short runs of a round take about as long as a long one. */
const eventsOfSize = 20_000;
const everyMs = taskLimits.readEveryMs / 10;

async function recordPerSecond(lines: readonly string[]): Promise<number> {
  let begunAt: number | null = null;
  const run = await startLongRun(
    lines,
    ({ tasks }) => {
      begunAt ??= tasks.now;
      tasks.now += taskLimits.readEveryMs;
    },
    (now) => Math.floor((now - (begunAt ?? now)) / everyMs),
  );
  const startedAt = processorSeconds();
  await run.watchToEnd();
  return lines.length / (processorSeconds() - startedAt);
}

function barePerSecond(lines: readonly string[]): number {
  const startedAt = processorSeconds();
  const db = new DatabaseSync(':memory:');
  db.exec('CREATE TABLE event (seq INTEGER PRIMARY KEY, body TEXT NOT NULL)');
  const insert = db.prepare('INSERT INTO event (body) VALUES (?)');
  db.exec('BEGIN');
  for (const line of lines) insert.run(JSON.stringify(JSON.parse(line)));
  db.exec('COMMIT');
  return lines.length / (processorSeconds() - startedAt);
}

const sizes = programArguments.map(Number);
const rates: { readonly size: number; readonly record: number; readonly bare: number }[] = [];
// Warms up.
await recordPerSecond(linesOf(10_000, everyMs));
for (let round = 0; round < rounds; round += 1)
  for (const size of sizes) {
    const lines = linesOf(size, everyMs);
    for (let events = 0; events < eventsOfSize; events += size)
      rates.push({ size, record: await recordPerSecond(lines), bare: barePerSecond(lines) });
  }
print(JSON.stringify(rates));
