/** `npm run setup`: from nothing to the first answer. */
import { join } from 'node:path';
import { configPathOf, readDevVars } from '../host/environment.ts';
import { onStopSignal } from '../host/stop-signals.ts';
import { projectRoot } from '../host/project-root.ts';
import { originOf } from './command/option-values.ts';
import { runCommand, UsageProblem } from './command/run-command.ts';
import { runPrograms } from './deploy/run-program.ts';
import { examineSandboxes } from './doctor/examine-here.ts';
import { afterwards, handToWrangler, secretsIn } from './setup/deployment.ts';
import { prepareSetup } from './setup/prepare.ts';
import { openPrompt } from './setup/prompt.ts';
import { startSetupServer } from './setup/server.ts';
import { setUpInTerminal } from './setup/terminal.ts';

await runCommand({
  name: 'npm run setup',
  about:
    'Sets Airlock up, on a page that only this machine can open: creates the GitHub App, tries the key of the\n' +
    'model, allows repositories, connects Slack, and waits for the first mention. Stores settings in .dev.vars\n' +
    'and repositories in airlock.config.jsonc. Stop it at any time; it continues where it ended.',
  options: {
    terminal: { type: 'boolean', about: 'asks here instead of on a page' },
    port: { type: 'string', value: 'PORT', about: 'port of the page (8786)' },
    url: {
      type: 'string',
      value: 'URL',
      about: 'public address of the bot, if it has one: GitHub then sends webhooks there',
    },
    cloudflare: { type: 'boolean', about: 'hands the settings to wrangler at the end, as secrets' },
    env: { type: 'string', value: 'NAME', about: 'environment of wrangler.jsonc (production)' },
  },
  more:
    'Over ssh, forward the port: ssh -L 8786:127.0.0.1:8786 HOST.\n' +
    'Exit status: 0 done or stopped, 1 a step failed, 2 wrong usage.',
  run: async ({ values, say, onStop }) => {
    const stopping = new AbortController();
    const stopped = new Promise<void>((resolve) => {
      stopping.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    const stop = () => (stopping.signal.aborted ? process.exit(130) : stopping.abort());
    onStop(stop);
    const devVarsPath = join(projectRoot, '.dev.vars');
    const merged = { ...(await readDevVars()), ...process.env };
    const configPath = configPathOf(merged);
    const isDeployed = values.cloudflare === true;
    const publicUrl = publicUrlOf(values.url ?? storedUrl(merged['AIRLOCK_URL'], isDeployed));
    const port = portOf(values.port);
    const socketMode = !isDeployed;
    const parts = await prepareSetup({
      files: { devVarsPath, configPath, environment: process.env },
      publicUrl,
      socketMode,
      now: Date.now,
      proof: { examineSandboxes, started: () => onStopSignal(stop) },
    });
    const { setup, proof } = parts;
    const isMoving = isDeployed || values.url !== undefined;
    const moved = isMoving ? await setup.movePublicUrl() : null;
    if (moved !== null) throw new Error(`${moved.problem}. ${moved.remedy}`);
    // Slack reaches a deployment at its address, which the first deployment prints.
    if (isDeployed && publicUrl === null) setup.skipSlack();
    const target = values.env ?? 'production';
    const needsInput = values.terminal === true || isDeployed;
    const prompt = needsInput ? openPrompt(stopping.signal) : null;
    try {
      if (values.terminal === true && prompt !== null) {
        await setUpInTerminal({
          setup,
          proof,
          say,
          ask: async (...asked) => await prompt.ask(...asked),
          socketMode,
          isDeployed,
          stop: stopping.signal,
        });
        if (!isDeployed) say('✓ Airlock works. Start it with npm start.');
      } else {
        const server = await startSetupServer({
          ...parts,
          deployment: isDeployed ? afterwards(target, publicUrl) : null,
          port,
          onOpened: (next) => say(`The page is open. To open it once more: ${next}`),
        });
        say(`Open this page on this machine, once:\n\n  ${server.address}\n\nPress Ctrl-C to stop.`);
        try {
          await (prompt === null ? stopped : prompt.ask('', 'text'));
        } finally {
          await server.close();
        }
      }
      if (!isDeployed) return 0;
      const secrets = secretsIn(await parts.store.settings());
      const refusal = await handToWrangler(secrets, target, runPrograms(stopping.signal));
      if (refusal !== null) throw new Error(`${refusal.problem}. ${refusal.remedy}`);
      say(`✓ wrangler has the secrets: ${Object.keys(secrets).join(', ')}. Next:`);
      for (const { why, what } of afterwards(target, publicUrl)) say(`\n${why}:\n\n  ${what}`);
      return 0;
    } catch (error) {
      if (stopping.signal.aborted) return 0;
      throw error;
    } finally {
      prompt?.close();
      await parts.stop();
    }
  },
});

/** One machine's own address is no deployment's. */
function storedUrl(stored: string | undefined, isDeployed: boolean): string | undefined {
  const url = stored?.trim();
  return isDeployed && url?.startsWith('https://') !== true ? undefined : url;
}

function publicUrlOf(given: string | undefined): string | null {
  return given === undefined || given === '' ? null : originOf(given);
}

function portOf(given: string | undefined): number | null {
  if (given === undefined) return null;
  const port = Number(given);
  if (!/^\d+$/.test(given) || port < 1 || port > 65_535)
    throw new UsageProblem('--port must be a number from 1 to 65535');
  return port;
}
