/**
 * Probes of a sandbox's end and of a task's budgets: survivors, reused ids, ten thousand requests, too many
 * tokens.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ended,
  inside,
  orEnded,
  small,
  unharmed,
  type ExhaustionBench,
  type HostProbe,
} from './exhaustion-bench.ts';
import { validRequest } from './attacks/openai-request.ts';

export const budgetProbes: readonly HostProbe<ExhaustionBench>[] = [
  {
    id: 'survivor',
    attack: 'a process that outlives its sandbox',
    expected: ['gone'],
    run: async (bench) => {
      const sandbox = await bench.fresh();
      const seconds = '47114711';
      await inside(sandbox, 'bash', `setsid nohup sleep ${seconds} >/dev/null 2>&1 & disown; echo started`);
      // The shell stays: the end of a run ends what it left behind.
      const argv = ['bash', '-c', `setsid sleep ${seconds} & wait`];
      await sandbox.startRun('survivor', { argv });
      for (let tries = 0; !runsOnHost(['sleep', seconds]); tries += 1) {
        if (tries === 300) throw new Error('it never ran');
        await sleep(100);
      }
      await sandbox.destroy();
      return runsOnHost(['sleep', seconds]) ? 'ALIVE' : 'gone';
    },
  },
  {
    id: 'used-id',
    attack: 'the id of a destroyed sandbox, with everything that was granted to it',
    expected: [ended],
    run: async (bench) => {
      const sandbox = await bench.fresh();
      await sandbox.destroy();
      const got = await orEnded(async () => {
        await sandbox.start(small);
        return 'STARTED';
      });
      await unharmed(bench);
      return got;
    },
  },
  {
    id: 'no-grant',
    attack: 'a sandbox that belongs to no task',
    expected: ['403 grant.none'],
    run: async (bench) => {
      const sandbox = await bench.fresh();
      const { last } = await inside(
        sandbox,
        'bash',
        `printf '%s ' "$(curl -s -o /tmp/a -w '%{http_code}' 'https://github.com/acme/split-bill.git/info/refs?service=git-upload-pack')"; grep -oE '"code":"[a-z.]+"' /tmp/a | cut -d'"' -f4`,
      );
      await sandbox.destroy();
      return last;
    },
  },
  {
    id: 'requests',
    attack: 'ten thousand requests, kept alive; then an allowed one',
    expected: ['after 10000: 400 budget.requests', `after 10000: 400 phase.closed`, `after 10000: ${ended}`],
    run: async (bench) => {
      const { sandbox } = await bench.requests();
      const got = await orEnded(async () => {
        const { last } = await inside(
          sandbox,
          'node',
          `import { Agent, request } from 'node:https';
const agent = new Agent({ keepAlive: true, maxSockets: 32 });
const ask = (host, path) => new Promise((resolve, reject) => request({ host, path, agent }, (response) => {
  let text = ''; response.on('data', (chunk) => (text += chunk)); response.on('end', () => resolve(response.statusCode + ' ' + (/"code":"([a-z.-]+)"/.exec(text)?.[1] ?? '')));
}).on('error', reject).end());
const allowed = () => ask('github.com', '/acme/split-bill.git/info/refs?service=git-upload-pack');
if (!(await allowed()).startsWith('200')) process.exit(1);
let left = 10000;
await Promise.all(Array.from({ length: 32 }, async () => { while (left-- > 0) await ask('canary.airlock.invalid', '/x'); }));
console.log(await allowed());
process.exit();`,
          120_000,
        );
        return last;
      });
      if (got === '') throw new Error('the requests were not made');
      return `after 10000: ${got}`;
    },
  },
  {
    id: 'tokens',
    attack: 'more tokens than the task may use',
    expected: ['200, then 400 budget.tokens', '200, then 400 phase.closed', `200, then ${ended}`],
    run: async (bench) => {
      const task = await bench.tokens();
      const body = JSON.stringify(validRequest('x'.repeat(1_200_000)));
      await task.sandbox.writeFile('/tmp/body.json', body);
      const ask = `curl -s -o /tmp/answer -m 20 -w '%{http_code}' -H expect: -H 'content-type: application/json' --data-binary @/tmp/body.json https://api.openai.com/v1/responses`;
      const code = `grep -oE '"code":"[a-z.-]+"' /tmp/answer | cut -d'"' -f4`;
      const { last: first } = await inside(task.sandbox, 'bash', ask);
      if (first !== '200') throw new Error(`the first request got “${first}”`);
      const got = await orEnded(async () => {
        const { last, exitCode } = await inside(task.sandbox, 'bash', `printf '%s ' "$(${ask})"; ${code}`);
        // The run ended meanwhile, and everything in the sandbox with it.
        return exitCode === 137 && last === '' ? ended : last;
      });
      return `200, then ${got}`;
    },
  },
  {
    id: 'tokens-end',
    attack: 'a task whose tokens are used up: what was done so far is published, as a draft',
    expected: ['pull-request'],
    run: async (bench) => (await (await bench.tokens()).view()).outcome?.kind ?? 'nothing',
  },
];

function runsOnHost(argv: readonly string[]): boolean {
  const wanted = `${argv.join('\0')}\0`;
  return readdirSync('/proc').some((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1') === wanted;
    } catch {
      return false; // ended meanwhile
    }
  });
}
