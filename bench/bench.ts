/** `npm run bench [-- NAME] [--json]`: measures on this machine and prints each value with its baseline. */
import { jsonOption } from '../cli/command/read-arguments.ts';
import { runCommand, UsageProblem } from '../cli/command/run-command.ts';
import { bundleBench } from './bundle.ts';
import { egressDecisionBench } from './egress-decision.ts';
import type { Bench, Metric } from './metric.ts';
import { gatewayBench } from './gateway.ts';
import { hostileTextBench } from './hostile-text.ts';
import { recordBench } from './record.ts';
import { sandboxBench } from './sandbox.ts';
import { slackBench } from './slack.ts';
import { wholeTaskBench } from './whole-task.ts';

const benches: readonly Bench[] = [
  wholeTaskBench,
  slackBench,
  bundleBench,
  sandboxBench,
  egressDecisionBench,
  gatewayBench,
  recordBench,
  hostileTextBench,
];
await runCommand({
  name: 'npm run bench',
  takes: '[NAME…]',
  about: `Measures on this machine. Without a name it runs all benches:

${benches.map(({ name, what }) => `  ${name.padEnd(8)} ${what}`).join('\n')}`,
  options: { json: jsonOption('print the metrics as JSON') },
  run: async ({ values, positionals, say }) => {
    const unknown = positionals.filter((name) => !benches.some((bench) => bench.name === name));
    if (unknown.length > 0)
      throw new UsageProblem(`There is no bench ${unknown.join(', ')}. Try npm run bench -- --help`);
    const chosen = benches.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
    const metrics: Metric[] = [];
    for (const bench of chosen)
      metrics.push(...(await bench.run((line) => void process.stderr.write(`${bench.name}: ${line}\n`))));
    if (values.json === true) say(JSON.stringify({ metrics }, null, 2));
    else for (const metric of metrics) say(line(metric));
    return 0;
  },
});

function line({ name, value, unit, baseline, ratio, goal }: Metric): string {
  const against = baseline === undefined ? '' : `   baseline ${baseline} ${unit}, ratio ${ratio}`;
  return `${name.padEnd(48)} ${String(value).padStart(8)} ${unit}${against}${goal === null ? '' : `   (goal: ${goal})`}`;
}
