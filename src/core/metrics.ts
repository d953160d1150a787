/**
 * What `GET /metrics` shows, in Prometheus's terms. No label names a repository, a person, a task or a model:
 * their number has no bound, and a monitoring system has more readers than this API.
 */
import type { TaskOutcome } from './task.ts';

/** Counted values by series, `name{label="value"}`. They only grow. */
export type Totals = Readonly<Record<string, number>>;

export interface Metric {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** The one label and the values that are shown from the start; others of it are shown once counted. */
  readonly label?: readonly [name: string, values: readonly string[]];
}

const outcomeKinds = Object.keys({
  'pull-request': 0,
  'no-change': 0,
  refused: 0,
  held: 0,
  failed: 0,
  cancelled: 0,
  patch: 0,
  replied: 0,
  steered: 0,
  ignored: 0,
  answered: 0,
} satisfies Record<TaskOutcome['kind'], 0>);
const sources = ['github', 'slack', 'api'];

export const metrics = {
  airlock_tasks_accepted_total: {
    type: 'counter',
    help: 'Tasks that were begun, by where they were asked for.',
    label: ['source', sources],
  },
  airlock_tasks_ended_total: {
    type: 'counter',
    help: 'Ends of tasks, by outcome. A publication attempt ends its task once more.',
    label: ['outcome', outcomeKinds],
  },
  airlock_task_reasons_total: {
    type: 'counter',
    help: 'Ends that have a reason, by outcome and the code of the reason.',
  },
  airlock_duplicates_total: {
    type: 'counter',
    help: 'Deliveries of a trigger that was accepted before, by where it was asked.',
    label: ['source', sources],
  },
  airlock_refused_requests_total: {
    type: 'counter',
    help: 'Requests that were answered with an error, by the door they came to and the HTTP status.',
  },
  airlock_dropped_triggers_total: {
    type: 'counter',
    help: 'Triggers of people without access that were dropped without an answer.',
    label: ['source', ['github']],
  },
  airlock_egress_requests_total: {
    type: 'counter',
    help: 'Requests that sandboxes made, by verdict.',
    label: ['verdict', ['allowed', 'denied', 'failed']],
  },
  airlock_model_tokens_total: {
    type: 'counter',
    help: 'Tokens of the model, by kind; cached ones are input as well.',
    label: ['kind', ['input', 'cached', 'output']],
  },
  airlock_acknowledgement_seconds: {
    type: 'histogram',
    help: 'Time from a request to the first post that answers it.',
  },
  airlock_first_model_request_seconds: {
    type: 'histogram',
    help: 'Time from a request to its first request to the model, the queue included.',
  },
  airlock_pull_request_seconds: {
    type: 'histogram',
    help: 'Time from a request to its pull request, without tasks that were published in a later attempt.',
  },
  airlock_queue_length: { type: 'gauge', help: 'Tasks that wait for a slot.' },
  airlock_sandboxes: { type: 'gauge', help: 'Slots that tasks hold, each for one sandbox.' },
  airlock_sandboxes_limit: { type: 'gauge', help: 'Sandboxes that can run at the same time.' },
  airlock_ready: { type: 'gauge', help: '1: tasks are accepted and started. 0: see /healthz.' },
} as const satisfies Readonly<Record<string, Metric>>;

type Names<Type extends Metric['type']> = {
  [Name in keyof typeof metrics]: (typeof metrics)[Name]['type'] extends Type ? Name : never;
}[keyof typeof metrics];
export type CounterName = Names<'counter'>;
export type HistogramName = Names<'histogram'>;
export type GaugeName = Names<'gauge'>;

/** Upper bounds in seconds: from a quick acknowledgement to a task that waited in the queue. */
export const bucketBounds = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600] as const;

export function series(name: CounterName | GaugeName, labels: Readonly<Record<string, string>>): string {
  return labelled(name, labels);
}

/** One observation. Only the bucket that it falls into is counted; `/metrics` adds them up. */
export function observed(name: HistogramName, ms: number): Totals {
  const seconds = Math.max(0, ms) / 1000;
  const le = bucketBounds.find((bound) => seconds <= bound);
  return {
    [labelled(`${name}_bucket`, { le: le === undefined ? '+Inf' : String(le) })]: 1,
    [`${name}_sum`]: seconds,
  };
}

/** A code of our own, so that no text of others becomes a label. */
export const reasonLabel = (code: string): string => (/^[a-z][a-z0-9-]{0,39}$/.test(code) ? code : 'other');

export function labelled(name: string, labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
}

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
