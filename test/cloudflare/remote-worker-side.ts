/** The Worker's side of `remote-sandboxes.ts`: performs one call of the contract and reports how it ended. */
import { z } from 'zod';
import type { Sandboxes } from '../../src/core/ports/sandbox-port.ts';

const command = z.object({
  argv: z.array(z.string()),
  cwd: z.string().optional(),
  env: z.record(z.string(), z.string()).optional(),
  withoutProcessLimit: z.boolean().optional(),
  keepsProcesses: z.boolean().optional(),
});
const range = z.object({ offset: z.int(), maxBytes: z.int() });

const callSchema = z.discriminatedUnion('method', [
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

export async function answerCall(request: Request, sandboxes: Sandboxes, id: string): Promise<Response> {
  const call = callSchema.parse(await request.json());
  try {
    return Response.json({ ok: true, value: (await carryOut(call, sandboxes, id)) ?? null });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return Response.json({ ok: false, name: error.name, message: error.message });
  }
}

async function carryOut(
  call: z.output<typeof callSchema>,
  sandboxes: Sandboxes,
  id: string,
): Promise<unknown> {
  const sandbox = sandboxes.get(id);
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
      return await sandbox.writeFile(
        call.path,
        Uint8Array.from(atob(call.content), (one) => one.charCodeAt(0)),
      );
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
