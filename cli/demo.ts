/**
 * `npm run demo`: the main job once, start to end, on this machine. Real: the Worker in workerd, the sandbox, git, the
 * Codex CLI. Stand-ins: GitHub (over a real bare repository), Slack and, unless `--live`, the model.
 *
 * Reads the arguments and makes the world; what happens in it is a story's.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { demoScript } from './demo/demo-script.ts';
import { projectRoot } from '../host/project-root.ts';
import { onStopSignal } from '../host/stop-signals.ts';
import { bold, dim } from './terminal/colour.ts';
import { githubStory } from './demo/github-story.ts';
import { slackStory } from './demo/slack-story.ts';
import { splitBillFiles } from './demo/split-bill.ts';
import { say, type Story } from './demo/story.ts';
import { startWorld, type World } from './demo/world.ts';

const help = `npm run demo [-- OPTIONS]: the whole main job once, on this machine, without any account.

  --slack       in Slack instead of a GitHub issue: a mention, a reply, and a guest who is refused
  --keep-open   leave everything running at the end and print its addresses
  --live        use the real model (needs OPENAI_API_KEY; costs money)
  --state DIR   where to keep its state (.airlock/demo, emptied first)
`;

interface DemoOptions {
  readonly story: Story;
  readonly live: boolean;
  readonly keepOpen: boolean;
  readonly state: string | undefined;
}

async function main({ story, live, keepOpen, state }: DemoOptions): Promise<number> {
  const openaiKey = process.env['OPENAI_API_KEY'] ?? '';
  if (live && openaiKey === '') {
    process.stderr.write(
      '--live needs OPENAI_API_KEY in the environment; without --live a scripted model is used.\n',
    );
    return 1;
  }
  const stateDir = state ?? join(projectRoot, '.airlock', 'demo');
  const logFile = `${stateDir}.log`;
  let world: World;
  try {
    world = await startWorld({
      ...story.world,
      stateDir,
      script: demoScript,
      // Slow enough to be watched.
      latencyMs: story === slackStory ? 1000 : 700,
      files: splitBillFiles,
      ...(live
        ? {
            live: {
              apiKey: openaiKey,
              baseUrl: process.env['OPENAI_BASE_URL'] ?? 'https://api.openai.com/v1',
            },
          }
        : {}),
      progress: (line) => say(dim(line)),
      log: (line) => appendFileSync(logFile, `${line}\n`, { mode: 0o600 }),
    });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
  const stopped = new AbortController();
  onStopSignal(() => stopped.abort());
  try {
    introduce(world, story);
    const held = await story.play(world, stopped.signal);
    if (keepOpen && !stopped.signal.aborted) await stayOpen(world, story, stopped.signal);
    if (stopped.signal.aborted && !keepOpen) return 130;
    return held ? 0 : 1;
  } catch (error) {
    if (stopped.signal.aborted) return 130;
    process.stderr.write(
      `${error instanceof Error ? error.message : String(error)}\nThe log is in ${logFile}\n`,
    );
    return 1;
  } finally {
    await world.close();
  }
}

function introduce(world: World, story: Story): void {
  say(bold('Airlock demo'));
  say(`  the bot      ${world.bot.url}   ${dim('(the real Worker in workerd)')}`);
  if (story.world.slack !== undefined)
    say(`  Slack        ${world.slack.url}   ${dim('(a simulated workspace that signs what it sends)')}`);
  say(`  GitHub       ${world.github.url}   ${dim('(simulated over a real git repository)')}`);
  say(
    `  the model    ${world.openai === null ? 'live' : `${world.openai.url}   ${dim('(scripted; the Codex CLI that drives it is real)')}`}`,
  );
  say();
}

async function stayOpen(world: World, story: Story, signal: AbortSignal): Promise<void> {
  say();
  say(bold('Everything is still running. Ctrl-C stops it.'));
  const addresses = [
    ...story.addresses(world),
    // The folder, since the address asks for a token like GitHub does for a private repository.
    ['clone', `git clone ${world.repository.gitDir} split-bill`] as const,
    ['API', `${world.bot.url}/api/tasks   (API_TOKEN=${world.apiToken})`] as const,
  ];
  for (const [what, where] of addresses) say(`  ${what.padEnd(15)} ${where}`);
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    slack: { type: 'boolean' },
    'keep-open': { type: 'boolean' },
    live: { type: 'boolean' },
    state: { type: 'string' },
  },
});
if (values.help === true) process.stdout.write(help);
else
  process.exitCode = await main({
    story: values.slack === true ? slackStory : githubStory,
    live: values.live === true,
    keepOpen: values['keep-open'] === true,
    state: values.state,
  });
