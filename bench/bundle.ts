/**
 * Measures for each kind of sandbox the compressed size of the bundle, and the time from starting workerd to
 * its first answer, alternating with an empty Worker that contains the bundle as unused text.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { buildWorker, maxBundleKiB, sandboxKinds, type SandboxKind } from '../host/build-worker.ts';
import { median, round, type Bench, type Metric } from './metric.ts';

const runs = 9;

type Module = { readonly type: 'ESModule' | 'Text'; readonly path: string; readonly contents: string };

const emptyMain = 'export default { fetch: () => new Response("ok") };';

const emptyWorker = (carried: readonly Module[]): readonly Module[] => [
  { type: 'ESModule', path: 'index.js', contents: emptyMain },
  ...carried.map(({ contents }, index): Module => ({ type: 'Text', path: `carried-${index}.txt`, contents })),
];

export const bundleBench: Bench = {
  name: 'bundle',
  what: 'size and start-up time of the Worker',
  async run(progress) {
    const metrics: Metric[] = [];
    for (const kind of sandboxKinds) metrics.push(...(await measure(kind, progress)));
    return metrics;
  },
};

async function measure(kind: SandboxKind, progress: (line: string) => void): Promise<readonly Metric[]> {
  const { modules } = await buildWorker(progress, kind);
  const compressed = await promisify(gzip)(modules.map(({ contents }) => contents).join('\n'));
  const starts: number[] = [];
  const empty: number[] = [];
  for (let index = 0; index < runs; index += 1) {
    progress(`${kind}: start ${index + 1} of ${runs}`);
    empty.push(await firstAnswer(emptyWorker(modules)));
    starts.push(await firstAnswer(modules));
  }
  const [own, baseline] = [median(starts), median(empty)];
  return [
    {
      name: `Worker, ${kind}: bundle, gzip`,
      value: round(compressed.byteLength / 1024, 1),
      unit: 'KiB',
      goal: `at most ${maxBundleKiB[kind]} KiB`,
    },
    {
      name: `Worker, ${kind}: start to first answer, p50`,
      value: round(own, 1),
      unit: 'ms',
      baseline: round(baseline, 1),
      ratio: round(own / baseline, 2),
      goal: null,
    },
    {
      name: `Worker, ${kind}: start-up added to an empty Worker, p50`,
      value: round(own - baseline, 1),
      unit: 'ms',
      goal: 'under 120 ms',
    },
  ];
}

/** Milliseconds from starting workerd to the first answer, a refusal because there are no settings. */
async function firstAnswer(modules: readonly Module[]): Promise<number> {
  const startedAt = performance.now();
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      name: 'bench',
      log: new Log(LogLevel.NONE),
      cf: false,
      modules: [...modules],
      compatibilityDate: '2026-10-20',
      compatibilityFlags: ['nodejs_compat'],
    }),
  );
  try {
    const response = await miniflare.dispatchFetch('http://worker.example/healthz');
    await response.text();
    return performance.now() - startedAt;
  } finally {
    await miniflare.dispose();
  }
}
