/**
 * Serves the `TaskSandbox` contract over HTTP to the Worker's binding; parses and bounds every call. 400:
 * invalid. 409: a toolchain is refused. 410: lost or never here. 413: over 16 MiB. 422: init could not. 503:
 * full, retry later. 504: init timed out.
 */
import { Hono } from 'hono';
import { z } from 'zod';
import { InitProblem, InitTimeout, ChannelClosed } from './control-channel.ts';
import { SandboxGone, TooManySandboxes, type Registry } from './registry.ts';
import { ToolchainProblem } from './toolchains.ts';

const MiB = 1024 * 1024;
const maxWriteBytes = 16 * MiB;
/** Time for init to answer on a busy machine, beyond the call's own time limit. */
const answerMs = 15_000;

const idSchema = z.string().regex(/^[0-9a-f]{64}$/);
const nameSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/);
const pathSchema = z
  .string()
  .max(4096)
  .refine((path) => path.startsWith('/') && !path.includes('\0'), 'an absolute path');
const specSchema = z.object({
  memoryBytes: z.int().min(64 * MiB),
  diskBytes: z.int().min(MiB),
  maxProcesses: z.int().min(16).max(100_000),
  toolchains: z.array(z.string().max(1000)).max(20).default([]),
});
const noNul = z.string().refine((text) => !text.includes('\0'), 'no NUL');
const commandSchema = z.object({
  argv: z.array(noNul).min(1).max(10_000),
  cwd: pathSchema.default('/workspace'),
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), noNul).default({}),
  withoutProcessLimit: z.boolean().default(false),
  keepsProcesses: z.boolean().default(false),
});
const execSchema = z.object({
  command: commandSchema,
  timeoutMs: z
    .int()
    .min(1)
    .max(24 * 3_600_000),
  maxOutputBytes: z
    .int()
    .min(0)
    .max(8 * MiB),
  atOrdinaryPriority: z.boolean().default(false),
});
const offset = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const rangeSchema = z.object({ offset, maxBytes: z.coerce.number().int().min(0).max(MiB) });
const waitSchema = rangeSchema.extend({ waitMs: z.coerce.number().int().min(0).max(30_000) });

// Init's answers, which are untrusted.
const size = z.int().nonnegative();
const exitCode = z.int().min(0).max(255);
const execReply = z.object({ exitCode, truncated: z.boolean(), timedOut: z.boolean(), stdoutBytes: size });
const runReply = z.object({ size, exitCode: exitCode.nullable() });
const fileReply = z.object({ size: size.nullable() });

export function sandboxRoutes(registry: Registry): Hono {
  const app = new Hono();
  const sandboxOf = (id: string) => registry.running(idSchema.parse(id));

  app.post('/sandboxes/:id/start', async (c) => {
    await registry.start(idSchema.parse(c.req.param('id')), specSchema.parse(await c.req.json()));
    return c.body(null, 204);
  });

  app.delete('/sandboxes/:id', async (c) => {
    await registry.destroy(idSchema.parse(c.req.param('id')), 'the sandbox was destroyed');
    return c.body(null, 204);
  });

  app.post('/sandboxes/:id/exec', async (c) => {
    const { atOrdinaryPriority, ...call } = execSchema.parse(await c.req.json());
    const sandbox = sandboxOf(c.req.param('id'));
    if (!atOrdinaryPriority) await sandbox.lowerPriority();
    const { header, body } = await sandbox.call(
      { method: 'exec', ...call },
      undefined,
      call.timeoutMs + answerMs,
    );
    const { stdoutBytes, ...reply } = execReply.parse(header);
    const stdout = body.subarray(0, Math.min(stdoutBytes, call.maxOutputBytes));
    const stderr = body.subarray(stdoutBytes, stdoutBytes + call.maxOutputBytes);
    return c.json({ ...reply, stdout: decode(stdout), stderr: decode(stderr) });
  });

  app.post('/sandboxes/:id/runs/:name', async (c) => {
    const name = nameSchema.parse(c.req.param('name'));
    const command = commandSchema.parse(await c.req.json());
    const sandbox = sandboxOf(c.req.param('id'));
    await sandbox.lowerPriority();
    await sandbox.call({ method: 'startRun', name, command }, undefined, answerMs);
    return c.body(null, 204);
  });

  app.get('/sandboxes/:id/runs/:name', async (c) => {
    const name = nameSchema.parse(c.req.param('name'));
    const range = waitSchema.parse(c.req.query());
    const { header, body } = await sandboxOf(c.req.param('id')).call(
      { method: 'readRun', name, ...range },
      undefined,
      range.waitMs + answerMs,
    );
    const reply = runReply.parse(header);
    if (reply.exitCode !== null) c.header('x-exit-code', String(reply.exitCode));
    c.header('x-size', String(reply.size));
    return c.body(copy(body, range.maxBytes), 200, octets);
  });

  app.put('/sandboxes/:id/file', async (c) => {
    const path = pathSchema.parse(c.req.query('path'));
    const content = new Uint8Array(await c.req.arrayBuffer());
    if (content.length > maxWriteBytes) return c.json({ problem: 'the file is too large' }, 413);
    await sandboxOf(c.req.param('id')).call({ method: 'writeFile', path }, content, answerMs);
    return c.body(null, 204);
  });

  app.get('/sandboxes/:id/file', async (c) => {
    const path = pathSchema.parse(c.req.query('path'));
    const range = rangeSchema.parse(c.req.query());
    const { header, body } = await sandboxOf(c.req.param('id')).call(
      { method: 'readFile', path, ...range },
      undefined,
      answerMs,
    );
    const reply = fileReply.parse(header);
    if (reply.size === null) return c.body(null, 204);
    c.header('x-size', String(reply.size));
    return c.body(copy(body, range.maxBytes), 200, octets);
  });

  app.onError((error, c) => {
    if (error instanceof SandboxGone || error instanceof ChannelClosed)
      return c.json({ problem: error.message }, 410);
    if (error instanceof ToolchainProblem) return c.json({ problem: error.message }, 409);
    if (error instanceof TooManySandboxes) return c.json({ problem: error.message }, 503);
    if (error instanceof InitProblem) return c.json({ problem: error.message }, 422);
    if (error instanceof InitTimeout) return c.json({ problem: error.message }, 504);
    if (error instanceof z.ZodError) return c.json({ problem: z.prettifyError(error) }, 400);
    return c.json({ problem: error.message }, 500);
  });
  return app;
}

const octets = { 'content-type': 'application/octet-stream' };

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Out of the larger buffer that it is a view into, so that a response carries nothing else. */
function copy(bytes: Uint8Array, maxBytes: number): ArrayBuffer {
  return Uint8Array.from(bytes.subarray(0, maxBytes)).buffer;
}
