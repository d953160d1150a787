/** `GET /metrics`: what was counted, in Prometheus's text format. https://prometheus.io/docs/instrumenting/exposition_formats */
import { Hono } from 'hono';
import {
  bucketBounds,
  labelled,
  metrics,
  type GaugeName,
  type Metric,
  type Totals,
} from '../core/metrics.ts';
import { refusedAccess } from './access.ts';

export interface MetricsDeps {
  readonly apiToken: string | null;
  /** Rejects if what was counted cannot be read. */
  counted(): Promise<Totals>;
  gauges(): Promise<Readonly<Record<GaugeName, number>>>;
}

export function metricsRoutes(deps: MetricsDeps): Hono {
  const app = new Hono();
  app.get('/', async (c) => {
    const refused = await refusedAccess(c, deps.apiToken);
    if (refused !== null) return refused;
    const [counted, gauges] = await Promise.all([deps.counted(), deps.gauges()]);
    return c.body(metricsText({ ...counted, ...gauges }), 200, {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      'cache-control': 'no-store',
    });
  });
  return app;
}

function metricsText(values: Totals): string {
  const families = Object.entries<Metric>(metrics).map(([name, metric]) => {
    const samples = metric.type === 'histogram' ? histogram(name, values) : samplesOf(name, metric, values);
    return [
      `# HELP ${name} ${metric.help}`,
      `# TYPE ${name} ${metric.type}`,
      ...samples.map(([series, value]) => `${series} ${value}`),
    ].join('\n');
  });
  return `${families.join('\n')}\n`;
}

type Sample = readonly [series: string, value: number];

/** Known values of a label begin at 0, because a rate cannot see a series' first appearance. */
function samplesOf(name: string, { type, label }: Metric, values: Totals): readonly Sample[] {
  const known = label?.[1].map((value) => labelled(name, { [label[0]]: value })) ?? [];
  const counted = Object.keys(values).filter((series) => series === name || series.startsWith(`${name}{`));
  const none = type === 'gauge' ? [name] : [];
  return [...new Set([...known, ...none, ...counted])].map((series) => [series, values[series] ?? 0]);
}

function histogram(name: string, values: Totals): readonly Sample[] {
  let below = 0;
  const buckets = [...bucketBounds.map(String), '+Inf'].map((le): Sample => {
    const series = labelled(`${name}_bucket`, { le });
    below += values[series] ?? 0;
    return [series, below];
  });
  return [...buckets, [`${name}_sum`, values[`${name}_sum`] ?? 0], [`${name}_count`, below]];
}
