/** `npm start`: the bot on this machine for real use. */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startBot, type Bot } from '../host/bot.ts';
import { readEnvironment, StartProblem, type LocalEnvironment } from '../host/environment.ts';
import { onStopSignal } from '../host/stop-signals.ts';

const help = `npm start: run the Airlock bot on this machine.

Settings come from the environment or from .dev.vars:
  GITHUB_APP_ID, GITHUB_APP_PRIVATE_KEY, GITHUB_WEBHOOK_SECRET, OPENAI_API_KEY   required
  OPENAI_ORGANIZATION, OPENAI_PROJECT     whom requests are charged to, if the key does not say
  API_TOKEN         turns on /api/tasks and \`npm run task\`
  SLACK_BOT_TOKEN, SLACK_SIGNING_SECRET   turn on Slack, at a public address
  SLACK_BOT_TOKEN, SLACK_APP_TOKEN        turn on Slack over Socket Mode: no public address needed
  PORT              where to listen (8787)
  AIRLOCK_CONFIG    the allowlist (airlock.config.jsonc)
  AIRLOCK_STATE     tasks and logs (.airlock)
  GITHUB_URL, GITHUB_API_URL, OPENAI_BASE_URL, SLACK_API_URL   other upstreams (GitHub Enterprise Server, a gateway)
  AIRLOCK_HOST      address to listen on (127.0.0.1)

docs/setup.md explains each, and how to register the GitHub App and the Slack app.
`;

if (process.argv.includes('--help') || process.argv.includes('-h')) {
  process.stdout.write(help);
} else {
  try {
    await main();
  } catch (error) {
    // An expected problem is one line; only a defect shows its stack.
    process.stderr.write(
      `${error instanceof StartProblem ? error.message : error instanceof Error ? (process.env['DEBUG'] === undefined ? error.message : error.stack) : String(error)}\n`,
    );
    process.exitCode = 1;
  }
}

async function main(): Promise<void> {
  const environment = await readEnvironment(process.env);
  mkdirSync(environment.stateDir, { recursive: true, mode: 0o700 });
  const logFile = join(environment.stateDir, 'airlock.log');
  const bot = await startBot({
    stateDir: environment.stateDir,
    hostname: environment.hostname,
    port: environment.port,
    settings: environment.settings,
    configText: environment.configText,
    slackAppToken: environment.slack?.appToken ?? null,
    progress: (line) => process.stdout.write(`${line}\n`),
    log: (line) => appendFileSync(logFile, `${line}\n`, { mode: 0o600 }),
  });
  process.stdout.write(
    [
      `Airlock listens on ${bot.url}`,
      `  GitHub webhooks   POST ${bot.url}/github/webhooks`,
      slackLine(environment.slack, bot.url),
      environment.apiToken === null
        ? '  API               off (set API_TOKEN to turn it on)'
        : `  API               ${bot.url}/api/tasks`,
      `  Allowlist         ${environment.configPath}`,
      `  Log               ${logFile}`,
      'Ctrl-C stops it and destroys every sandbox.',
      '',
    ].join('\n'),
  );
  stopOnSignal(bot);
}

function slackLine(slack: LocalEnvironment['slack'], url: string): string {
  if (slack === null) return '  Slack             off (see docs/setup.md)';
  return slack.appToken === null
    ? `  Slack             POST ${url}/slack/events`
    : '  Slack             connected over Socket Mode';
}

function stopOnSignal(bot: Bot): void {
  let stopping = false;
  onStopSignal(() => {
    // A second Ctrl-C does not wait.
    if (stopping) process.exit(130);
    stopping = true;
    process.stdout.write('\nStopping …\n');
    void bot.stop().finally(() => process.exit(0));
  });
}
