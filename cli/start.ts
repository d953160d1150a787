/** `npm start`: runs the bot on this machine. */
import { join } from 'node:path';
import { startBot, type Bot } from '../host/bot.ts';
import { readDevVars, readEnvironment, type LocalEnvironment } from '../host/environment.ts';
import { openLogFile } from '../host/log-file.ts';
import type { OptionTable } from './command/read-arguments.ts';
import { runCommand, type Invocation } from './command/run-command.ts';
import { examineHere } from './doctor/examine-here.ts';
import { lineOf, summaryOf } from './doctor/print.ts';

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
    'Press Ctrl-C to stop the bot and destroy every sandbox.',
  ];
  say(lines.join('\n'));
  void showDoctor(say);
  return await stopped(bot, onStop, say);
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

/** Resolves when the bot has stopped and every sandbox is destroyed. */
async function stopped(
  bot: Bot,
  onStop: (stop: () => void) => void,
  say: (line: string) => void,
): Promise<number> {
  await new Promise<void>((resolve) => {
    let stopping = false;
    onStop(() => {
      // A second Ctrl-C ends the process at once.
      if (stopping) process.exit(130);
      stopping = true;
      say('\nStopping …');
      void bot.stop().finally(resolve);
    });
  });
  process.exit(0);
}
