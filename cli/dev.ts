/**
 * `npm run dev`: runs the Worker under `wrangler dev` with real containers and `.dev.vars`. Not for other
 * people's tasks: a container of a local engine can reach the machine.
 */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { runCommand } from './command/run-command.ts';
import { writeImageContext } from './image/image-context.ts';
import { projectRoot } from '../host/project-root.ts';

const engineMs = 10_000;

/** Returns null if the engine answers, otherwise the problem in a few words. */
function engineProblem(program: string): string | null {
  const { error, status } = spawnSync(program, ['version', '--format', '{{.Server.Version}}'], {
    timeout: engineMs,
    stdio: 'ignore',
  });
  if (error !== undefined)
    return 'code' in error && error.code === 'ENOENT' ? 'is not installed' : 'does not answer';
  return status === 0 ? null : 'is installed, but its engine does not run';
}

await runCommand({
  name: 'npm run dev',
  takes: '[options of wrangler dev]',
  about:
    'Runs the Worker under wrangler dev with real containers. Needs a container engine. Settings come from\n' +
    '.dev.vars. For trying out only: a container of a local engine can reach this machine.',
  options: {},
  handsOn: true,
  run: async ({ positionals, onStop }) => {
    // The variable by which wrangler finds it.
    const program = process.env['WRANGLER_DOCKER_BIN'] ?? 'docker';
    const problem = engineProblem(program);
    if (problem !== null)
      throw new Error(
        `npm run dev needs a container engine, but ${program} ${problem}. ` +
          'Start one, or use npm start, which needs none.',
      );
    return await develop(positionals, onStop);
  },
});

async function develop(options: readonly string[], onStop: (stop: () => void) => void): Promise<number> {
  await writeImageContext();
  process.stdout.write(
    'Local containers are less isolated than on Cloudflare: do not let other people start tasks here.\n',
  );
  const wrangler = join(projectRoot, 'node_modules/wrangler/bin/wrangler.js');
  const args = [wrangler, 'dev', '--env', '', ...options];
  const child = spawn(process.execPath, args, {
    cwd: projectRoot,
    stdio: 'inherit',
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false' },
  });
  onStop(() => void child.kill('SIGTERM'));
  return await new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}
