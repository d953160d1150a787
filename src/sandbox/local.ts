/** Implements the sandbox port over the host's binding. Checks sizes; contents stay untrusted. */
import * as z from 'zod';
import {
  SandboxBusyError,
  SandboxLostError,
  SandboxUnsupportedError,
  type ExecResult,
  type RunChunk,
  type SandboxCommand,
  type Sandboxes,
  type TaskSandbox,
} from '../core/ports/sandbox-port.ts';
import { parseJson } from '../lib/parse-json.ts';
import { withDeadline } from '../lib/with-deadline.ts';

/** The part of a service binding that this needs. */
export interface SandboxHostBinding {
  fetch(url: string, init?: RequestInit): Promise<Response>;
}

/** Longer than the host's own deadlines, so that its answer arrives first. */
const answerMs = 20_000;
const startMs = 60_000;
const maxReadBytes = 1024 * 1024;
const maxExecOutputBytes = 8 * 1024 * 1024;

/** An `ExecResult` as JSON. */
export const execResultSchema = z.object({
  exitCode: z.int(),
  stdout: z.string(),
  stderr: z.string(),
  truncated: z.boolean(),
  timedOut: z.boolean(),
});
const problemBody = z.object({ problem: z.string() });
const count = z.coerce.number().int().nonnegative();

export function localSandboxes(host: SandboxHostBinding, idFor: (taskId: string) => string): Sandboxes {
  return { idFor, get: (sandboxId) => localSandbox(host, sandboxId) };
}

const stateBody = z.object({ problem: z.string().nullable(), draining: z.boolean() });

/** Asks the host why its state folder cannot be written, and whether it still starts sandboxes. */
export async function localHostState(host: SandboxHostBinding): Promise<z.infer<typeof stateBody>> {
  const asked = async () => stateBody.parse(await (await host.fetch('http://sandbox-host/state')).json());
  return await withDeadline(asked(), answerMs, 'the sandbox host');
}

function localSandbox(host: SandboxHostBinding, sandboxId: string): TaskSandbox {
  async function call(
    method: string,
    path: string,
    options: {
      query?: Record<string, string | number>;
      json?: unknown;
      body?: BodyInit;
      timeoutMs?: number;
    } = {},
  ): Promise<Answer> {
    const url = new URL(`http://sandbox-host/sandboxes/${sandboxId}${path}`);
    for (const [name, value] of Object.entries(options.query ?? {}))
      url.searchParams.set(name, String(value));
    const body = options.json === undefined ? options.body : JSON.stringify(options.json);
    const answer = await fetchWhole(
      host,
      url.href,
      { method, ...(body === undefined ? {} : { body }) },
      options.timeoutMs ?? answerMs,
    );
    if (answer.status >= 200 && answer.status < 300) return answer;
    const parsed = problemBody.safeParse(jsonOf(answer));
    const problem = parsed.success ? parsed.data.problem : 'no reason given';
    if (answer.status === 410 || answer.status === 404) throw new SandboxLostError(problem);
    if (answer.status === 409) throw new SandboxUnsupportedError(problem);
    if (answer.status === 503) throw new SandboxBusyError(problem);
    throw new Error(`sandbox host: ${answer.status}: ${problem}`);
  }

  return {
    /** This machine has one image and one size for all: `image` and `instance` are for Cloudflare alone. */
    async start(spec) {
      await call('POST', '/start', { json: spec, timeoutMs: startMs });
    },
    async writeFile(path, content) {
      await call('PUT', '/file', { query: { path }, body: content });
    },
    async readFile(path, { offset, maxBytes }) {
      const response = await call('GET', '/file', {
        query: { path, offset, maxBytes: Math.min(maxBytes, maxReadBytes) },
      });
      if (response.status === 204) return null;
      return { bytes: response.bytes, size: count.parse(response.headers.get('x-size')) };
    },
    async exec(command, { timeoutMs, maxOutputBytes, atOrdinaryPriority = false }): Promise<ExecResult> {
      const json = {
        command: plain(command),
        timeoutMs,
        maxOutputBytes: Math.min(maxOutputBytes, maxExecOutputBytes),
        atOrdinaryPriority,
      };
      const response = await call('POST', '/exec', { json, timeoutMs: timeoutMs + answerMs });
      return execResultSchema.parse(jsonOf(response));
    },
    async startRun(name, command) {
      await call('POST', `/runs/${encodeURIComponent(name)}`, { json: plain(command) });
    },
    async readRun(name, { offset, maxBytes, waitMs }): Promise<RunChunk> {
      const query = { offset, maxBytes: Math.min(maxBytes, maxReadBytes), waitMs: Math.min(waitMs, 30_000) };
      const response = await call('GET', `/runs/${encodeURIComponent(name)}`, {
        query,
        timeoutMs: query.waitMs + answerMs,
      });
      const exitCode = response.headers.get('x-exit-code');
      return {
        bytes: response.bytes,
        size: count.parse(response.headers.get('x-size')),
        exitCode: exitCode === null ? null : count.parse(exitCode),
      };
    },
    async destroy() {
      await call('DELETE', '');
    },
  };
}

/** Drops everything that the port does not name. */
function plain({ argv, cwd, env, withoutProcessLimit = false, keepsProcesses = false }: SandboxCommand) {
  const given = { ...(cwd === undefined ? {} : { cwd }), ...(env === undefined ? {} : { env }) };
  return { argv, withoutProcessLimit, keepsProcesses, ...given };
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

/** Clears the timer with the answer: `AbortSignal.timeout` lives on, and workerd allows 10,000 an object. */
async function fetchWhole(
  host: SandboxHostBinding,
  url: string,
  init: RequestInit,
  timeoutMs: number,
): Promise<Answer> {
  const abort = new AbortController();
  const timer = setTimeout(
    () => abort.abort(new Error(`the sandbox host did not answer within ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    const response = await host.fetch(url, { ...init, signal: abort.signal });
    const { status, headers } = response;
    return { status, headers, bytes: new Uint8Array(await response.arrayBuffer()) };
  } finally {
    clearTimeout(timer);
  }
}

const jsonOf = ({ bytes }: Answer): unknown => parseJson(new TextDecoder().decode(bytes));
