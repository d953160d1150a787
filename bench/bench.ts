/** `npm run bench [-- NAME] [--json]`: measures on this machine and prints each value with its baseline. */
import { parseArgs } from 'node:util';
import { bundleBench } from './bundle.ts';
import { egressDecisionBench } from './egress-decision.ts';
import type { Bench, Metric } from './metric.ts';
import { gatewayBench } from './gateway.ts';
import { hostileTextBench } from './hostile-text.ts';
import { slackBench } from './slack.ts';
import { wholeTaskBench } from './whole-task.ts';

const benches: readonly Bench[] = [
  wholeTaskBench,
  slackBench,
  bundleBench,
  egressDecisionBench,
  gatewayBench,
  hostileTextBench,
];
const help = `npm run bench [-- NAME…] [-- --json]

Measures on this machine. Without a name it runs all benches; --json prints the metrics as JSON.

${benches.map(({ name, what }) => `  ${name.padEnd(8)} ${what}`).join('\n')}
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
});
const unknown = positionals.filter((name) => !benches.some((bench) => bench.name === name));
if (values.help === true || unknown.length > 0) {
  if (unknown.length > 0) process.stderr.write(`Unknown bench: ${unknown.join(', ')}.\n`);
  process.stdout.write(help);
  process.exitCode = unknown.length > 0 ? 1 : 0;
} else {
  const metrics: Metric[] = [];
  for (const bench of benches.filter(({ name }) => positionals.length === 0 || positionals.includes(name)))
    metrics.push(...(await bench.run((line) => void process.stderr.write(`${bench.name}: ${line}\n`))));
  if (values.json === true) process.stdout.write(`${JSON.stringify({ metrics }, null, 2)}\n`);
  else for (const metric of metrics) process.stdout.write(`${line(metric)}\n`);
}

function line({ name, value, unit, baseline, ratio, goal }: Metric): string {
  const against = baseline === undefined ? '' : `   baseline ${baseline} ${unit}, ratio ${ratio}`;
  return `${name.padEnd(48)} ${String(value).padStart(8)} ${unit}${against}${goal === null ? '' : `   (goal: ${goal})`}`;
}
