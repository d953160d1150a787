/** The sandbox contract's grant phases: a change takes effect with the next request. */
import { describe, expect, it } from 'vitest';
import type { GrantPhase } from '../../src/core/grant.ts';
import type { Sandboxes, TaskSandbox } from '../../src/core/ports/sandbox-port.ts';
import { newTaskId, smallSpec } from './contract-spec.ts';

export interface PhaseSubject {
  readonly sandboxes: Sandboxes;
  /** `exampleGrant` in this phase from the next request on. Allowed requests get an answer. */
  grant(sandboxId: string, phase: GrantPhase): Promise<void>;
}

const limits = { timeoutMs: 60_000, maxOutputBytes: 10_000 };
const shell = (script: string) => ({ argv: ['/bin/sh', '-c', script] });

const github = 'https://github.com/acme/split-bill/info/refs?service=git-upload-pack';
const setupHost = 'https://registry.example.com/package.tgz';
const openai = 'https://api.openai.com/v1/models';

/** Sends one request to each of the three hosts with curl from the sandbox, and returns the statuses. */
async function statusesOf(sandbox: TaskSandbox): Promise<readonly string[]> {
  const curl = `curl -s -m 10 -o /dev/null -w '%{http_code}\\n'`;
  const script = [github, setupHost, openai].map((url) => `${curl} '${url}'`).join('; ');
  const { stdout } = await sandbox.exec(shell(script), limits);
  return stdout.trim().split('\n');
}

/** A Node program that repeats a request over one connection, and prints each status. */
const repeatingClient = (url: string) => `
const agent = new (require('node:https').Agent)({ keepAlive: true, maxSockets: 1 });
const ports = new Set();
const ask = () => {
  const request = require('node:https').get('${url}', { agent }, (response) => {
    ports.add(request.socket.localPort);
    console.log(response.statusCode + ' connection ' + ports.size);
    response.resume().once('end', () => setTimeout(ask, 50));
  });
};
ask();`;

export function describePhases(subject: () => PhaseSubject): void {
  const started = async () => {
    const sandboxId = subject().sandboxes.idFor(newTaskId());
    const sandbox = subject().sandboxes.get(sandboxId);
    await sandbox.start(smallSpec);
    return { sandboxId, sandbox };
  };

  describe('phases of the grant', () => {
    it('open and close hosts for a running sandbox, one after the other', async () => {
      const { sandboxId, sandbox } = await started();
      expect(await statusesOf(sandbox)).toEqual(['403', '403', '403']);
      const seen: Partial<Record<GrantPhase, readonly string[]>> = {};
      for (const phase of ['clone', 'setup', 'run', 'sealed'] as const) {
        await subject().grant(sandboxId, phase);
        seen[phase] = await statusesOf(sandbox);
      }
      // GitHub, a setup host, OpenAI. Refusals on OpenAI's host are 400.
      expect(seen).toEqual({
        clone: ['200', '403', '400'],
        setup: ['403', '200', '400'],
        run: ['200', '403', '200'],
        sealed: ['403', '403', '400'],
      });
      await sandbox.destroy();
    });

    it('apply to a running program on its open connection', async () => {
      const { sandboxId, sandbox } = await started();
      await subject().grant(sandboxId, 'setup');
      await sandbox.startRun('asks', { argv: ['node', '-e', repeatingClient(setupHost)] });
      let said: readonly string[] = [];
      const untilSaid = async (status: string) =>
        await expect
          .poll(async () => {
            const { bytes } = await sandbox.readRun('asks', { offset: 0, maxBytes: 100_000, waitMs: 0 });
            said = new TextDecoder().decode(bytes).trim().split('\n');
            return said.at(-1);
          })
          .toBe(`${status} connection 1`);
      await untilSaid('200');
      await subject().grant(sandboxId, 'run');
      await untilSaid('403');
      await sandbox.destroy();
      const statuses = said.map((line) => line.slice(0, 3));
      // Once refused, no later request was allowed.
      expect(statuses).toEqual(statuses.toSorted());
    });
  });
}
