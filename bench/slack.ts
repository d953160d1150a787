/** Measures how soon Slack gets its acknowledgement, after durable storage: singly, and 200 at once. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { splitBillFiles } from '../cli/demo/split-bill.ts';
import { startWorld } from '../cli/demo/world.ts';
import { sendAtOnce, signedCommands } from '../chaos/slack-commands.ts';
import { channels, config, mend, people } from '../test/flows/slack-world.ts';
import { median, percentile, round, type Bench } from './metric.ts';

const many = 200;
const alone = 50;

export const slackBench: Bench = {
  name: 'slack',
  what: `acknowledgement of slash commands: one at a time, and ${many} at once`,
  async run(progress) {
    const stateDir = await mkdtemp(join(tmpdir(), 'airlock-bench-'));
    const world = await startWorld({
      stateDir,
      script: mend,
      files: splitBillFiles,
      // One slot only, because the bench measures the intake of requests, not the tasks.
      maxSandboxes: 1,
      slack: { users: people, channels, deliverTo: 'http' },
      configText: config,
    });
    try {
      const url = `${world.bot.url}/slack/events`;
      const health = `${world.bot.url}/healthz`;
      // The same number of trivial requests: the cost of workerd and this machine.
      const baseline = await Promise.all(
        Array.from({ length: many }, async () => {
          const startedAt = performance.now();
          await (await fetch(health)).text();
          return performance.now() - startedAt;
        }),
      );
      progress(`${alone} commands one at a time`);
      const single: number[] = [];
      for (const command of signedCommands(world.slack, alone, () => 'help')) {
        const [answer] = await sendAtOnce(url, [command]);
        single.push(answer?.ms ?? Number.NaN);
      }
      progress(`${many} commands at once`);
      const answers = await sendAtOnce(
        url,
        signedCommands(world.slack, many, (index) => `acme/split-bill mend it (${index})`),
      );
      const refused = answers.filter(({ status }) => status !== 200).length;
      if (refused > 0) throw new Error(`${refused} of ${many} commands were not acknowledged`);
      const times = answers.map(({ ms }) => ms);
      return [
        {
          name: 'Slack: acknowledgement of one `help`, p50',
          value: round(median(single), 1),
          unit: 'ms',
          goal: null,
        },
        {
          name: `Slack: acknowledgement of ${many} commands at once, p50`,
          value: round(median(times), 1),
          unit: 'ms',
          baseline: round(median(baseline), 1),
          ratio: round(median(times) / median(baseline), 2),
          goal: null,
        },
        {
          name: `Slack: acknowledgement of ${many} commands at once, p99`,
          value: round(percentile(times, 99), 1),
          unit: 'ms',
          baseline: round(percentile(baseline, 99), 1),
          ratio: round(percentile(times, 99) / percentile(baseline, 99), 2),
          goal: 'under 300 ms on two cores',
        },
      ];
    } finally {
      await world.close();
      await rm(stateDir, { recursive: true, force: true });
    }
  },
};
