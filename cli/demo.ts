/**
 * `npm run demo`: runs a whole task once on this machine. GitHub, Slack and, unless `--live` is given, the
 * model are simulated; all else is real. A story decides what happens.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { demoScript } from './demo/demo-script.ts';
import { projectRoot } from '../host/project-root.ts';
import { openLogFile } from '../host/log-file.ts';
import { callersPath } from './command/option-values.ts';
import { runCommand, UsageProblem } from './command/run-command.ts';
import { listTasks } from './task/bot-api.ts';
import { bold, dim } from './terminal/colour.ts';
import { githubStory } from './demo/github-story.ts';
import { slackStory } from './demo/slack-story.ts';
import { splitBillFiles } from './demo/split-bill.ts';
import { say, type Story } from './demo/story.ts';
import { startWorld, type World } from './demo/world.ts';

/** Nothing listens there. */
const unreachable = 'http://127.0.0.1:9/github/webhooks';

interface DemoOptions {
  readonly story: Story;
  readonly live: boolean;
  readonly keepOpen: boolean;
  readonly webhooks: boolean;
  readonly state: string | undefined;
  readonly onStop: (stop: () => void) => void;
}

async function main({ story, live, keepOpen, webhooks, state, onStop }: DemoOptions): Promise<number> {
  const openaiKey = process.env['OPENAI_API_KEY'] ?? '';
  if (live && openaiKey === '')
    throw new Error(
      '--live needs OPENAI_API_KEY in the environment. Without --live, the demo uses a scripted model.',
    );
  const stateDir = state === undefined ? join(projectRoot, '.airlock', 'demo') : callersPath(state);
  refuseToEmpty(stateDir);
  const logFile = `${stateDir}.log`;
  const world = await startWorld({
    ...story.world,
    stateDir,
    script: demoScript,
    // Slow enough to watch.
    latencyMs: story === slackStory ? 1000 : 700,
    files: splitBillFiles,
    ...(webhooks ? {} : { deliveries: 'auto' }),
    ...(live
      ? {
          live: {
            apiKey: openaiKey,
            baseUrl: process.env['OPENAI_BASE_URL'] ?? 'https://api.openai.com/v1',
          },
        }
      : {}),
    progress: (line) => say(dim(line)),
    log: openLogFile(logFile, (line) => process.stderr.write(`${line}\n`)),
  });
  if (!webhooks) world.github.setWebhookUrl(unreachable);
  const stopped = new AbortController();
  onStop(() => stopped.abort());
  try {
    introduce(world, story);
    const passed = await story.play(world, stopped.signal);
    if (keepOpen && !stopped.signal.aborted) await stayOpen(world, story, stopped.signal);
    if (stopped.signal.aborted && !keepOpen) return 130;
    return passed ? 0 : 1;
  } catch (error) {
    if (stopped.signal.aborted) return 130;
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${why}\nLog: ${logFile}`, { cause: error });
  } finally {
    await world.close();
  }
}

/** The state folder is emptied first: it has to be missing, empty, or one that a demo made. */
function refuseToEmpty(folder: string): void {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  if (names.every((name) => name === 'bot' || name === 'github')) return;
  throw new UsageProblem(`${folder} holds other files, and the demo would delete them. Name a new folder.`);
}

function introduce(world: World, story: Story): void {
  say(bold('Airlock demo'));
  say(`  bot          ${world.bot.url}   ${dim('(the real Worker in workerd)')}`);
  if (story.world.slack !== undefined)
    say(`  Slack        ${world.slack.url}   ${dim('(a simulated workspace that signs its requests)')}`);
  say(`  GitHub       ${world.github.url}   ${dim('(simulated, with a real git repository)')}`);
  const model =
    world.openai === null ? 'live' : `${world.openai.url}   ${dim('(scripted; the Codex CLI is real)')}`;
  say(`  model        ${model}`);
  say();
}

/** The page of the first task that made a pull request. */
async function pageOfTask({ bot, apiToken }: World): Promise<string> {
  const { tasks } = await listTasks({ url: bot.url, apiToken });
  const shown = tasks.findLast(({ outcome }) => outcome?.kind === 'pull-request');
  return shown === undefined ? '/tasks' : `/t/${shown.taskId}`;
}

async function stayOpen(world: World, story: Story, signal: AbortSignal): Promise<void> {
  say();
  say(bold('Everything is still running. Press Ctrl-C to stop it.'));
  const addresses = [
    ...story.addresses(world),
    ['page', `${await world.openLink(await pageOfTask(world))}   (works once)`] as const,
    // The folder, because the simulated GitHub asks for a token, like GitHub for a private repository.
    ['clone', `git clone ${world.repository.gitDir} split-bill`] as const,
    ['API', `${world.bot.url}/api/tasks   (API_TOKEN=${world.apiToken})`] as const,
  ];
  for (const [what, where] of addresses) say(`  ${what.padEnd(15)} ${where}`);
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

await runCommand({
  name: 'npm run demo',
  about: 'Runs a whole task on this machine, from the request to the pull request. Needs no account.',
  options: {
    slack: {
      type: 'boolean',
      about: 'start in Slack instead of a GitHub issue: a mention, a reply, and a refused guest',
    },
    'keep-open': {
      type: 'boolean',
      about: 'keep everything running at the end and print the addresses',
    },
    'no-webhooks': {
      type: 'boolean',
      about: 'GitHub cannot reach the bot, which reads GitHub’s log of deliveries instead',
    },
    live: { type: 'boolean', about: 'use the real model (needs OPENAI_API_KEY and costs money)' },
    state: {
      type: 'string',
      value: 'DIR',
      about:
        'new folder for the state, or one of an earlier demo, which is emptied\n(default: .airlock/demo)',
    },
  },
  more: 'Exit status: 0 every check passed, 1 not, 2 wrong usage, 130 interrupted.',
  run: async ({ values, onStop }) =>
    await main({
      story: values.slack === true ? slackStory : githubStory,
      live: values.live === true,
      keepOpen: values['keep-open'] === true,
      webhooks: values['no-webhooks'] !== true,
      state: values.state,
      onStop,
    }),
});
