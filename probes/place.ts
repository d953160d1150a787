/** Gathers the facts of one run that the probes need: ports outside, the other sandbox, the machine. */
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { World } from '../cli/demo/world.ts';
import { projectRoot } from '../host/project-root.ts';
import { marker, otherSandbox } from './attacks/attack.ts';
import type { Canary } from './canary.ts';
import type { HijackedTask } from './hijacked-task.ts';
import type { Place, ProbedSandbox } from './probe.ts';

export function placeOf(
  sandbox: ProbedSandbox,
  world: World,
  canary: Canary,
  neighbour: HijackedTask,
): Place {
  if (world.openai === null) throw new Error('the model must be simulated');
  const prefix = sandbox === 'local' ? 'airlock-sandboxes-' : 'airlock-engine-';
  const sandboxFolder = readdirSync(tmpdir()).find((name) => name.startsWith(prefix));
  if (sandboxFolder === undefined) throw new Error('there is no folder of sandboxes outside');
  const port = (url: string) => Number(new URL(url).port);
  return {
    ...exemplaryPlace,
    sandbox,
    marker: `probe-00000-${randomBytes(4).toString('hex')}`,
    canary,
    hostAddress:
      Object.values(networkInterfaces())
        .flat()
        .find((address) => address?.family === 'IPv4' && !address.internal)?.address ??
      exemplaryPlace.hostAddress,
    botPort: port(world.bot.url),
    githubPort: port(world.github.url),
    openaiPort: world.openai.port,
    sandboxFolder: join(tmpdir(), sandboxFolder),
    otherSandbox: neighbour.sandboxId,
  };
}

/** A place for listing the probes without a run. */
export const exemplaryPlace: Place = {
  sandbox: 'local',
  marker,
  architecture: process.arch === 'arm64' ? 'arm64' : 'x64',
  canary: {
    httpPort: 1,
    httpsPort: 2,
    tcpPort: 3,
    tcp6Port: 4,
    udpPort: 5,
    abstractName: 'canary',
    file: '/tmp/canary',
    socketFile: '/tmp/canary.sock',
    pid: process.pid,
  },
  hostAddress: '10.0.0.1',
  botPort: 6,
  githubPort: 7,
  openaiPort: 8,
  checkout: projectRoot,
  sandboxFolder: '/tmp/airlock-sandboxes-x',
  otherSandbox,
};
