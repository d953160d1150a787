/** Runs a script as root in a fake container, as who found port 3000 could: it authenticates nobody. */
import { once } from 'node:events';
import { RpcSession } from 'capnweb';
import { WebSocket } from 'ws';
import type { FakeContainer } from './container.ts';
import { transportOver } from './rpc-transport.ts';

export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface ControlServer {
  readonly commands: { execute(command: string, sessionId: string): Ended };
}

/** Rejects when the script fails. */
export async function asRoot(container: FakeContainer, script: string): Promise<void> {
  const { exitCode, stderr } = await runAsRoot(container, script);
  if (exitCode !== 0) throw new Error(stderr);
}

export async function runAsRoot({ controlSocket }: FakeContainer, script: string): Promise<Ended> {
  const webSocket = new WebSocket(`ws+unix:${controlSocket}:/rpc`);
  await once(webSocket, 'open');
  try {
    const server = new RpcSession<ControlServer>(transportOver(webSocket)).getRemoteMain();
    const { exitCode, stdout, stderr } = await server.commands.execute(script, '__DISABLE_SESSION__');
    return { exitCode, stdout, stderr };
  } finally {
    webSocket.close();
  }
}
