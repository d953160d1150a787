/** Calls the sandbox adapter of a Worker over HTTP, with its values and errors. */
import { z } from 'zod';
import {
  SandboxBusyError,
  SandboxLostError,
  SandboxUnavailableError,
  type Sandboxes,
  type TaskSandbox,
} from '../../src/core/ports/sandbox-port.ts';
import { execResultSchema } from '../../src/sandbox/local.ts';
import type { Call } from '../../src/web/sandbox-calls.ts';

const answer = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), value: z.unknown() }),
  z.object({ ok: z.literal(false), name: z.string(), message: z.string() }),
]);
const bytes = z.string().transform((text) => new Uint8Array(Buffer.from(text, 'hex')));
const file = z.object({ bytes, size: z.int() }).nullable();
const chunk = z.object({ bytes, size: z.int(), exitCode: z.int().nullable() });

/** Sends a call to one sandbox and returns the JSON text of its answer. */
type Send = (sandboxId: string, call: Call) => Promise<string>;

export function remoteSandboxes(idFor: (taskId: string) => string, send: Send): Sandboxes {
  return { idFor, get: (sandboxId) => remoteSandbox(sandboxId, send) };
}

function remoteSandbox(sandboxId: string, send: Send): TaskSandbox {
  async function call(what: Call): Promise<unknown> {
    const ended = answer.parse(JSON.parse(await send(sandboxId, what)));
    if (ended.ok) return ended.value;
    if (ended.name === 'SandboxLostError') throw new SandboxLostError(ended.message);
    if (ended.name === 'SandboxBusyError') throw new SandboxBusyError(ended.message);
    if (ended.name === 'SandboxUnavailableError') throw new SandboxUnavailableError(ended.message);
    throw new Error(ended.message);
  }
  return {
    async start(spec) {
      await call({ method: 'start', spec });
    },
    async writeFile(path, content) {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      await call({ method: 'writeFile', path, content: Buffer.from(bytes).toString('base64') });
    },
    async readFile(path, range) {
      return file.parse(await call({ method: 'readFile', path, range }));
    },
    async exec({ argv, ...command }, limits) {
      const sent = { argv: [...argv], ...command };
      return execResultSchema.parse(await call({ method: 'exec', command: sent, limits }));
    },
    async startRun(name, { argv, ...command }) {
      await call({ method: 'startRun', name, command: { argv: [...argv], ...command } });
    },
    async readRun(name, range) {
      return chunk.parse(await call({ method: 'readRun', name, range }));
    },
    async destroy() {
      await call({ method: 'destroy' });
    },
  };
}
