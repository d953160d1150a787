/** Wires the metrics: what each isolate counts at its doors, and what `/metrics` shows. */
import { waitUntil } from 'cloudflare:workers';
import { labelled, type CounterName, type GaugeName, type Totals } from '../core/metrics.ts';
import { taskLimits } from '../tasks/limits.ts';
import type { Env } from './env.ts';
import { ask, slotsObjectOf } from './objects.ts';
import { platformOf } from './platform.ts';
import { log, now } from './runtime.ts';

/** One object, so that every isolate shows the same numbers. */
function metricsObjectOf(env: Env) {
  return env.METRICS.get(env.METRICS.idFromName('metrics'));
}

/** Repeats count once. */
export async function reportTotals(env: Env, source: string, totals: Totals): Promise<void> {
  await metricsObjectOf(env).report(source, totals);
}

/** What this isolate has counted, under a name that it gives up before the object forgets it. */
interface Counts {
  readonly source: string;
  readonly since: number;
  readonly totals: Record<string, number>;
  isDirty: boolean;
  sendingSince: number | null;
}
/** Between two reports, ms. */
const pauseMs = 1000;
const renewMs = 24 * 60 * 60_000;
let counts: Counts | null = null;

/**
 * Counts what has no record of its own. One report at a time, and one a second at most, however many requests
 * there are. An isolate that dies loses what it counted since its last report.
 */
export function count(env: Env, name: CounterName, labels: Readonly<Record<string, string>>): void {
  if (counts === null || (now() - counts.since > renewMs && !counts.isDirty))
    counts = {
      source: `isolate:${crypto.randomUUID()}`,
      since: now(),
      totals: {},
      isDirty: false,
      sendingSince: null,
    };
  const series = labelled(name, labels);
  counts.totals[series] = (counts.totals[series] ?? 0) + 1;
  counts.isDirty = true;
  // The request that sends can have been ended by the platform.
  if (counts.sendingSince !== null && now() - counts.sendingSince < 2 * taskLimits.slotCallMs) return;
  waitUntil(send(env, counts));
}

async function send(env: Env, mine: Counts): Promise<void> {
  try {
    while (mine.isDirty) {
      mine.isDirty = false;
      mine.sendingSince = now();
      const totals = { ...mine.totals };
      await ask('reporting to the metrics', async () => await reportTotals(env, mine.source, totals));
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  } catch (error) {
    mine.isDirty = true;
    log('metrics.not_reported', { error: String(error) });
  } finally {
    mine.sendingSince = null;
  }
}

export async function countedTotals(env: Env): Promise<Totals> {
  return await ask('reading the metrics', async () => await metricsObjectOf(env).counted());
}

export async function gauges(env: Env): Promise<Readonly<Record<GaugeName, number>>> {
  const [load, health] = await Promise.all([
    ask('asking the queue', async () => await slotsObjectOf(env).load()),
    platformOf(env).health(),
  ]);
  return {
    airlock_queue_length: load.waiting,
    airlock_sandboxes: load.held,
    airlock_sandboxes_limit: load.limit,
    airlock_ready: health.status === 'ready' ? 1 : 0,
  };
}
