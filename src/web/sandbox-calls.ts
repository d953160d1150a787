/**
 * Performs one call of the sandbox contract that came as JSON, and reports how it ended. `npm run doctor`
 * sends the calls of the contract's tests to a deployment (`cli/doctor/remote-sandboxes.ts`).
 */
import * as z from 'zod';
import type { TaskSandbox } from '../core/ports/sandbox-port.ts';
import { decodeBase64 } from '../lib/base64.ts';

const command = z.object({
  argv: z.array(z.string()),
  cwd: z.string().optional(),
  env: z.record(z.string(), z.string()).optional(),
  withoutProcessLimit: z.boolean().optional(),
  keepsProcesses: z.boolean().optional(),
});
const range = z.object({ offset: z.int(), maxBytes: z.int() });

export const callSchema = z.discriminatedUnion('method', [
  z.object({
    method: z.literal('start'),
    spec: z.object({ memoryBytes: z.int(), diskBytes: z.int(), maxProcesses: z.int() }),
  }),
  z.object({ method: z.literal('writeFile'), path: z.string(), content: z.base64() }),
  z.object({ method: z.literal('readFile'), path: z.string(), range }),
  z.object({
    method: z.literal('exec'),
    command,
    limits: z.object({ timeoutMs: z.int(), maxOutputBytes: z.int() }),
  }),
  z.object({ method: z.literal('startRun'), name: z.string(), command }),
  z.object({ method: z.literal('readRun'), name: z.string(), range: range.extend({ waitMs: z.int() }) }),
  z.object({ method: z.literal('destroy') }),
]);
export type Call = z.input<typeof callSchema>;
export type ParsedCall = z.output<typeof callSchema>;

/** Never rejects because of how the call ends. */
export async function performCall(call: ParsedCall, sandbox: TaskSandbox): Promise<object> {
  try {
    return { ok: true, value: (await carryOut(call, sandbox)) ?? null };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { ok: false, name: error.name, message: error.message };
  }
}

async function carryOut(call: ParsedCall, sandbox: TaskSandbox): Promise<unknown> {
  const plain = ({ argv, cwd, env, withoutProcessLimit, keepsProcesses }: z.output<typeof command>) => ({
    argv,
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    ...(keepsProcesses === undefined ? {} : { keepsProcesses }),
    ...(withoutProcessLimit === undefined ? {} : { withoutProcessLimit }),
  });
  switch (call.method) {
    case 'start':
      return await sandbox.start(call.spec);
    case 'writeFile':
      return await sandbox.writeFile(call.path, decodeBase64(call.content));
    case 'readFile': {
      const read = await sandbox.readFile(call.path, call.range);
      return read === null ? null : { ...read, bytes: hex(read.bytes) };
    }
    case 'exec':
      return await sandbox.exec(plain(call.command), call.limits);
    case 'startRun':
      return await sandbox.startRun(call.name, plain(call.command));
    case 'readRun': {
      const chunk = await sandbox.readRun(call.name, call.range);
      return { ...chunk, bytes: hex(chunk.bytes) };
    }
    case 'destroy':
      return await sandbox.destroy();
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
