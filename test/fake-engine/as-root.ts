/** Runs a script as root in a fake container, as nobody but the engine can. */
import { buffer } from 'node:stream/consumers';
import type { FakeContainer } from './container.ts';
import { exitCodeOf } from './exec.ts';

export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Rejects when the script fails. */
export async function asRoot(container: FakeContainer, script: string): Promise<void> {
  const { exitCode, stderr } = await runAsRoot(container, script);
  if (exitCode !== 0) throw new Error(stderr);
}

/** With the variables of the image, as the first program has them. */
export async function runAsRoot(container: FakeContainer, script: string): Promise<Ended> {
  const child = await container.enter({ argv: ['bash', '-c', script], env: container.environment });
  child.stdin.end();
  const exited = exitCodeOf(child);
  const [stdout, stderr] = await Promise.all([buffer(child.stdout), buffer(child.stderr)]);
  return { exitCode: await exited, stdout: stdout.toString(), stderr: stderr.toString() };
}
