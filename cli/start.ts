/** `npm start`: runs the bot on this machine. */
import { join } from 'node:path';
import { startBot, type Bot } from '../host/bot.ts';
import { readEnvironment, StartProblem, type LocalEnvironment } from '../host/environment.ts';
import { openLogFile } from '../host/log-file.ts';
import { onStopSignal } from '../host/stop-signals.ts';

const help = `npm start: runs the Airlock bot on this machine.

Settings come from the environment or from .dev.vars:
  GITHUB_APP_ID, GITHUB_APP_PRIVATE_KEY, GITHUB_WEBHOOK_SECRET, OPENAI_API_KEY   required
  OPENAI_ORGANIZATION, OPENAI_PROJECT     whom OpenAI bills, if the key does not determine it
  API_TOKEN         turns on /api/tasks and \`npm run task\`
  SLACK_BOT_TOKEN, SLACK_SIGNING_SECRET   turn on Slack over a public address
  SLACK_BOT_TOKEN, SLACK_APP_TOKEN        turn on Slack over Socket Mode, without a public address
  PORT              port to listen on (8787)
  AIRLOCK_HOST      address to listen on (127.0.0.1)
  AIRLOCK_CONFIG    configuration file (airlock.config.jsonc)
  AIRLOCK_STATE     folder for tasks and logs (.airlock)
  GITHUB_URL, GITHUB_API_URL, OPENAI_BASE_URL, SLACK_API_URL
                    other upstreams (GitHub Enterprise Server, a gateway)

docs/setup.md explains each setting, and how to register the GitHub App and the Slack app.
`;

if (process.argv.includes('--help') || process.argv.includes('-h')) {
  process.stdout.write(help);
} else {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}

/** Returns the message alone; with `DEBUG` set, an unexpected error's stack. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const showStack = process.env['DEBUG'] !== undefined && !(error instanceof StartProblem);
  return (showStack ? error.stack : undefined) ?? error.message;
}

async function main(): Promise<void> {
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
    progress: (line) => process.stdout.write(`${line}\n`),
    log,
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
      'Press Ctrl-C to stop the bot and destroy every sandbox.',
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
    // A second Ctrl-C ends the process at once.
    if (stopping) process.exit(130);
    stopping = true;
    process.stdout.write('\nStopping …\n');
    void bot.stop().finally(() => process.exit(0));
  });
}
