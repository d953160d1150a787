/** `npm start`: runs the bot on this machine. */
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBot, type DrainableBot } from '../host/bot.ts';
import { readDevVars, readEnvironment, type LocalEnvironment } from '../host/environment.ts';
import { openLogFile } from '../host/log-file.ts';
import type { OptionTable } from './command/read-arguments.ts';
import { runCommand, type Invocation } from './command/run-command.ts';
import { examineHere } from './doctor/examine-here.ts';
import { lineOf, summaryOf } from './doctor/print.ts';
import { drain } from './start/drain.ts';
import { listOpenTasks } from './task/bot-api.ts';

/** Interval between two looks at what still runs. */
const drainLookMs = 1_000;

await runCommand({
  name: 'npm start',
  about: `Runs the Airlock bot on this machine.

Settings come from the environment or from .dev.vars:
  GITHUB_APP_ID, GITHUB_APP_PRIVATE_KEY, GITHUB_WEBHOOK_SECRET, OPENAI_API_KEY   required
  OPENAI_ORGANIZATION, OPENAI_PROJECT     whom OpenAI bills, if the key does not determine it
  API_TOKEN         turns on /api/tasks, \`npm run task\` and \`npm run tasks\`
  GITHUB_DELIVERIES   how GitHub's events arrive: webhooks, poll, or auto (the default, which finds out)
  SLACK_BOT_TOKEN, SLACK_SIGNING_SECRET   turn on Slack over a public address
  SLACK_BOT_TOKEN, SLACK_APP_TOKEN        turn on Slack over Socket Mode, without a public address
  PORT              port to listen on (8787)
  AIRLOCK_HOST      address to listen on (127.0.0.1)
  AIRLOCK_CONFIG    configuration file (airlock.config.jsonc)
  AIRLOCK_STATE     folder for tasks and logs (.airlock)
  AIRLOCK_DRAIN_SECONDS   how long a stop waits for running tasks (600); 0 ends them at once
  GITHUB_URL, GITHUB_API_URL, OPENAI_BASE_URL, SLACK_API_URL
                    other upstreams (GitHub Enterprise Server, a gateway)

docs/setup.md explains each setting, and how to register the GitHub App and the Slack app.`,
  options: {},
  more: 'Exit status: 0 stopped, 1 not started, 2 wrong usage.',
  outlivesOutput: true,
  run: start,
});

async function start({ say, onStop }: Pick<Invocation<OptionTable>, 'say' | 'onStop'>): Promise<number> {
  const environment = await readEnvironment(process.env);
  const logFile = join(environment.stateDir, 'airlock.log');
  const log = openLogFile(logFile, (line) => process.stderr.write(`${line}\n`));
  const bot = await startBot({
    stateDir: environment.stateDir,
    hostname: environment.hostname,
    port: environment.port,
    settings: environment.settings,
    configText: environment.configText,
    slackAppToken: environment.slack?.appToken ?? null,
    progress: say,
    log,
  });
  const lines = [
    `Airlock listens on ${bot.url}`,
    `  GitHub webhooks   POST ${bot.url}/github/webhooks`,
    slackLine(environment.slack, bot.url),
    environment.apiToken === null
      ? '  API               off (set API_TOKEN to turn it on)'
      : `  API               ${bot.url}/api/tasks`,
    `  Allowlist         ${environment.configPath}`,
    `  Log               ${logFile}`,
    environment.drainMs === 0
      ? 'Press Ctrl-C to stop the bot and destroy every sandbox.'
      : 'Press Ctrl-C to stop the bot once no task runs; again to end the tasks.',
  ];
  say(lines.join('\n'));
  void showDoctor(say);
  return await stopped(bot, environment.drainMs, onStop, say);
}

/** Reports what would make the first task fail. Never delays or fails the start. */
async function showDoctor(say: (line: string) => void): Promise<void> {
  try {
    const devVars = await readDevVars();
    const environment = { ...devVars, ...process.env };
    const findings = await examineHere({ environment, devVars, fetch, now: Date.now, sandboxes: null });
    const wrong = findings.filter(({ status }) => status === 'fail' || status === 'warn');
    say(`Doctor: ${summaryOf(findings)} (npm run doctor shows every check, and tries a sandbox)`);
    for (const finding of wrong) say(`  ${lineOf(finding)}`);
  } catch (error) {
    say(`Doctor: could not run (${error instanceof Error ? error.message : String(error)})`);
  }
}

function slackLine(slack: LocalEnvironment['slack'], url: string): string {
  if (slack === null) return '  Slack             off (see docs/setup.md)';
  return slack.appToken === null
    ? `  Slack             POST ${url}/slack/events`
    : '  Slack             connected over Socket Mode';
}

/**
 * The first signal waits for running tasks, the second ends them, another one ends this process at once.
 * Resolves when the bot has stopped and every sandbox is destroyed.
 */
async function stopped(
  bot: DrainableBot,
  drainMs: number,
  onStop: (stop: () => void) => void,
  say: (line: string) => void,
): Promise<number> {
  await new Promise<void>((resolve) => {
    const hurry = new AbortController();
    let signals = 0;
    const stop = async (): Promise<void> => {
      say('Stopping …');
      await bot.stop().finally(resolve);
    };
    onStop(() => {
      signals += 1;
      if (signals > 2 || (signals > 1 && drainMs === 0)) process.exit(130);
      if (signals === 2) return hurry.abort();
      // The terminal has written `^C`.
      say('');
      const drained = drainBot(bot, drainMs, say, hurry.signal);
      void Promise.race([drained, once(hurry.signal, 'abort')]).finally(() => void stop());
    });
  });
  process.exit(0);
}

async function drainBot(
  bot: DrainableBot,
  limitMs: number,
  say: (line: string) => void,
  stopped: AbortSignal,
): Promise<void> {
  if (limitMs === 0) return;
  bot.drain();
  const api = { url: bot.url, apiToken: bot.readToken };
  await drain(
    {
      openTasks: async () => (await listOpenTasks(api)).tasks,
      sandboxes: () => bot.sandboxes(),
      say,
      now: Date.now,
      pause: async (signal) => await sleep(drainLookMs, undefined, { signal }).catch(() => undefined),
    },
    limitMs,
    stopped,
  );
}
