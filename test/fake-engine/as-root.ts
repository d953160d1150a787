/**
 * Runs something as root in a fake container: what an attacker does who has found port 3000, whose server asks nobody who they are.
 */
import { once } from 'node:events';
import { RpcSession } from 'capnweb';
import { WebSocket } from 'ws';
import type { FakeContainer } from './container.ts';
import { transportOver } from './rpc-transport.ts';

interface ControlServer {
  readonly commands: { execute(command: string, sessionId: string): { exitCode: number; stderr: string } };
}

export async function asRoot({ controlSocket }: FakeContainer, script: string): Promise<void> {
  const webSocket = new WebSocket(`ws+unix:${controlSocket}:/rpc`);
  await once(webSocket, 'open');
  try {
    const server = new RpcSession<ControlServer>(transportOver(webSocket)).getRemoteMain();
    const { exitCode, stderr } = await server.commands.execute(script, '__DISABLE_SESSION__');
    if (exitCode !== 0) throw new Error(stderr);
  } finally {
    webSocket.close();
  }
}
