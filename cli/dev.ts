/**
 * `npm run dev`: the Worker under `wrangler dev` with real containers, for machines with a container engine. Settings come from `.dev.vars`.
 * For trying out the image and the deployment's own path; not a place for other people's tasks: a container of a local engine reaches the machine.
 */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { writeImageContext } from './image/image-context.ts';
import { projectRoot } from '../host/project-root.ts';
import { onStopSignal } from '../host/stop-signals.ts';

const engineMs = 10_000;

/** Null when there is one that answers; otherwise why not, in a few words. */
function engineProblem(program: string): string | null {
  const { error, status } = spawnSync(program, ['version', '--format', '{{.Server.Version}}'], {
    timeout: engineMs,
    stdio: 'ignore',
  });
  if (error !== undefined)
    return 'code' in error && error.code === 'ENOENT' ? 'is not installed' : 'does not answer';
  return status === 0 ? null : 'is installed, but no engine answers it';
}

// As wrangler finds it.
const program = process.env['WRANGLER_DOCKER_BIN'] ?? 'docker';
const problem = engineProblem(program);
if (problem === null) await develop();
else {
  process.stderr.write(
    `npm run dev needs a container engine, and ${program} ${problem}: start one, or use npm start, which needs none.\n`,
  );
  process.exitCode = 1;
}

async function develop(): Promise<void> {
  await writeImageContext();
  process.stdout.write(
    'Local containers are not isolated as on Cloudflare: let nobody else give it tasks.\n',
  );
  const wrangler = join(projectRoot, 'node_modules/wrangler/bin/wrangler.js');
  const args = [wrangler, 'dev', '--env', '', ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, {
    cwd: projectRoot,
    stdio: 'inherit',
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false' },
  });
  onStopSignal(() => void child.kill('SIGTERM'));
  process.exitCode = await new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}
