/**
 * Implements the sandbox port over Cloudflare's sandbox SDK. Translates and bounds; decides nothing.
 * Everything from a container is untrusted once Codex has run: this parses replies and checks sizes; the
 * caller has to distrust the contents.
 */
import { getSandbox, isDurableObjectCodeUpdateReset, isPlatformTransientError } from '@cloudflare/sandbox';
import {
  SandboxBusyError,
  SandboxLostError,
  SandboxNotInterceptedError,
  SandboxUnavailableError,
  SandboxUnsupportedError,
  type Sandboxes,
  type TaskSandbox as SandboxPort,
} from '../core/ports/sandbox-port.ts';
import { withDeadline } from '../lib/with-deadline.ts';
import { failureKind, failureText } from './cloudflare-failure.ts';
import {
  callPath,
  commandLine,
  encodeBase64,
  encodeCommand,
  errorCodeIn,
  makeFolders,
  parseReply,
  requireAbsolute,
  requireRunName,
  scriptPath,
  splitData,
  type Reply,
} from './cloudflare-inside.ts';
import type { SandboxStatus } from './cloudflare-life.ts';
import { insideScript } from './cloudflare-script.ts';
import type { TaskSandbox } from './cloudflare.ts';

/** Deadline of calls that do not wait themselves; longer than the deadlines inside the container. */
const answerMs = 20_000;
/** Deadline for a machine, its server and the interceptor's authority; `cloudflare.ts` bounds the parts. */
const bootMs = 90_000;
const authorityMs = 15_000;
const destroyMs = 25_000;
const endReportMs = 2_000;
/** The SDK's server waits a few seconds for the interceptor's authority, then it exits. */
const notIntercepted =
  'the sandbox’s outbound interception is off: its container got no certificate authority from the platform. Deploy without "placement.mode": "targeted", then run npm run doctor. If it is off still, ask Cloudflare’s support';
/** The SDK's class takes them from `wrangler.jsonc`, one for all its containers. */
const oneForAll =
  'the configuration names an image or an instance type for a repository, which the sandbox SDK cannot start. Deploy with --sandbox native, or remove "image" and "instance" from "sandbox" in the configuration';
const maxReadBytes = 1024 * 1024;
/** Bytes of one output. Both together as base64 stay below 8 MiB, as each message to and from a container. */
const maxExecOutputBytes = 2 * 1024 * 1024;

const sdkOptions = { transport: 'rpc', enableDefaultSession: false, sleepAfter: '15m' } as const;

export function cloudflareSandboxes(namespace: DurableObjectNamespace<TaskSandbox>): Sandboxes {
  return {
    idFor: (taskId) => namespace.idFromName(taskId).toString(),
    get: (sandboxId) => {
      const only = namespaceOf(namespace, sandboxId);
      // To the SDK the name is a label of at most 63 characters.
      return cloudflareSandbox(() => getSandbox(only, sandboxId.slice(0, 63), sdkOptions));
    },
  };
}

/** `sandbox` returns a new stub at each call, because a stub that failed stays failed. */
function cloudflareSandbox(sandbox: () => TaskSandbox): SandboxPort {
  /** Performs a call that needs the started container, and tells a lost sandbox from a failed call. */
  async function within<T>(timeoutMs: number, act: (instance: string) => Promise<T>): Promise<T> {
    const status = await statusNow();
    if (status.kind !== 'running') throw lost(status);
    try {
      return await deadline(act(status.instance), timeoutMs);
    } catch (error) {
      if (error instanceof SandboxLostError || error instanceof TypeError) throw error;
      // No error text says reliably whether the container is gone; its Durable Object does.
      const after = await statusNow().catch(() => status);
      throw after.kind === 'running' ? translated(error) : lost(after);
    }
  }

  async function statusNow(): Promise<SandboxStatus> {
    try {
      return await deadline(sandbox().lifeStatus(), answerMs);
    } catch (error) {
      throw translated(error);
    }
  }

  async function ask(instance: string, words: readonly (string | number)[]): Promise<Reply> {
    const reply = parseReply(await sandbox().exec(commandLine(instance, words)));
    if (reply === null) throw new Error('the container’s answer is not a reply of the script');
    if (reply.kind !== 'replaced') return reply;
    const why = 'its container was replaced by another one';
    await sandbox().markLost(why);
    throw new SandboxLostError(why);
  }

  /** Writes base64, so that every byte arrives unchanged. */
  async function put(path: string, base64: string): Promise<void> {
    release(await sandbox().writeFile(path, base64, { encoding: 'base64' }));
  }

  async function prepare(instance: string, maxProcesses: number): Promise<void> {
    const made = await sandbox().exec(makeFolders(instance));
    if (made.exitCode !== 0) throw new Error('the container has no room for the sandbox’s script');
    await put(scriptPath(instance), encodeText(insideScript));
    const until = Date.now() + authorityMs;
    let waited = false;
    try {
      while ((await ask(instance, ['prepare', maxProcesses])).kind !== 'done') {
        waited = true;
        if (Date.now() > until) throw new SandboxNotInterceptedError(notIntercepted);
        await pause();
      }
    } catch (error) {
      if (waited && (await hasEnded())) throw new SandboxNotInterceptedError(notIntercepted);
      throw error;
    }
  }

  /** The connection breaks before the platform reports the end. */
  async function hasEnded(): Promise<boolean> {
    const until = Date.now() + endReportMs;
    while (await sandbox().containerRuns()) {
      if (Date.now() > until) return false;
      await pause();
    }
    return true;
  }

  return {
    /**
     * The deployment's image and instance type are those of every sandbox; only the number of processes comes
     * from the spec.
     */
    async start(spec) {
      if ((spec.image ?? spec.instance ?? null) !== null) throw new SandboxUnsupportedError(oneForAll);
      const booted = await deadline(sandbox().bootOnce(), bootMs).catch(rethrowTranslated);
      if (booted.kind === 'busy') throw new SandboxBusyError('the platform has no free container now');
      if (booted.kind === 'lost') throw lost(booted);
      if (booted.kind === 'running') return;
      const instance = newName();
      try {
        await deadline(prepare(instance, spec.maxProcesses), authorityMs + answerMs);
      } catch (error) {
        const status = await statusNow();
        // A concurrent start has settled it meanwhile.
        if (status.kind === 'running') return;
        if (status.kind === 'lost') throw lost(status);
        throw error instanceof SandboxNotInterceptedError ? error : translated(error);
      }
      const settled = await deadline(sandbox().settle(instance), answerMs).catch(rethrowTranslated);
      if (settled.kind !== 'running') throw lost(settled);
    },

    async writeFile(path, content) {
      requireAbsolute(path);
      await within(2 * answerMs, async (instance) => {
        const call = newName();
        const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
        for (const { name, base64 } of splitData(bytes)) await put(callPath(instance, call, name), base64);
        refuseFailure(await ask(instance, ['write-file', call, path]));
      });
    },

    async readFile(path, { offset, maxBytes }) {
      requireAbsolute(path);
      return await within(answerMs, async (instance) => {
        const max = Math.min(maxBytes, maxReadBytes);
        const reply = refuseFailure(await ask(instance, ['read-file', offset, max, path]));
        if (reply.kind === 'none') return null;
        if (reply.kind !== 'file') throw unexpected(reply);
        return { bytes: reply.bytes.subarray(0, max), size: reply.size };
      });
    },

    async exec(command, limits) {
      const maxOutputBytes = Math.min(limits.maxOutputBytes, maxExecOutputBytes);
      const encoded = encodeCommand(command, { ...limits, maxOutputBytes });
      return await within(limits.timeoutMs + 2 * answerMs, async (instance) => {
        const call = newName();
        await put(callPath(instance, call, 'args'), encodeText(encoded));
        const reply = await ask(instance, ['exec', call]);
        if (reply.kind !== 'exec') throw unexpected(reply);
        const { exitCode, timedOut, truncated } = reply;
        const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes.subarray(0, maxOutputBytes));
        return { exitCode, timedOut, truncated, stdout: text(reply.stdout), stderr: text(reply.stderr) };
      });
    },

    async startRun(name, command) {
      requireRunName(name);
      const encoded = encodeCommand(command, { timeoutMs: 0, maxOutputBytes: 0 });
      await within(2 * answerMs, async (instance) => {
        const call = newName();
        await put(callPath(instance, call, 'args'), encodeText(encoded));
        refuseFailure(await ask(instance, ['start-run', name, call]));
      });
    },

    async readRun(name, range) {
      requireRunName(name);
      const waitMs = Math.min(range.waitMs, 30_000);
      return await within(waitMs + answerMs, async (instance) => {
        const max = Math.min(range.maxBytes, maxReadBytes);
        const reply = await ask(instance, ['read-run', name, range.offset, max, waitMs]);
        if (reply.kind === 'none') throw new Error('no run has that name');
        if (reply.kind !== 'run') throw unexpected(reply);
        return { bytes: reply.bytes.subarray(0, max), size: reply.size, exitCode: reply.exitCode };
      });
    },

    async destroy() {
      // Can hang on a sick container. The caller retries; the sandbox is already remembered as ended.
      await deadline(sandbox().destroy(), destroyMs).catch(rethrowTranslated);
    },
  };
}

/**
 * Returns a namespace in which every name is this one object. The SDK looks an object up by name; everything
 * here, the egress handler included, knows it by its id.
 */
function namespaceOf(
  namespace: DurableObjectNamespace<TaskSandbox>,
  sandboxId: string,
): DurableObjectNamespace<TaskSandbox> {
  const id = namespace.idFromString(sandboxId);
  return {
    idFromName: () => id,
    idFromString: () => id,
    newUniqueId: () => id,
    get: (_, options) => namespace.get(id, options),
    getByName: (_, options) => namespace.get(id, options),
    jurisdiction: (jurisdiction) => namespaceOf(namespace.jurisdiction(jurisdiction), sandboxId),
  };
}

/** Disposes of an RPC result of the SDK, which otherwise keeps its connection to the container open. */
function release(result: object): void {
  if (isDisposable(result)) result[Symbol.dispose]();
}

function isDisposable(value: object): value is Disposable {
  return Symbol.dispose in value && typeof value[Symbol.dispose] === 'function';
}

const pause = async () => await new Promise((resolve) => setTimeout(resolve, 100));

const newName = (): string => crypto.randomUUID().replaceAll('-', '');

function lost(status: SandboxStatus): SandboxLostError {
  return new SandboxLostError(status.kind === 'lost' ? status.why : 'it was never started');
}

const encodeText = (text: string): string => encodeBase64(new TextEncoder().encode(text));

function refuseFailure(reply: Reply): Reply {
  if (reply.kind !== 'failed') return reply;
  const code = /^E[A-Z]+$/.test(reply.problem) ? reply.problem : errorCodeIn(reply.problem);
  throw new Error(`${code}: the call to the sandbox failed`);
}

const unexpected = (reply: Reply): Error => new Error(`the container answered “${reply.kind}”`);

function translated(error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  const platform = isDurableObjectCodeUpdateReset(error) || isPlatformTransientError(error);
  const failure = { message, platform };
  switch (failureKind(failure)) {
    case 'busy':
      return new SandboxBusyError('the platform has no free container now');
    case 'transient':
      return new SandboxUnavailableError(failureText(failure), { cause: error });
    case 'failed':
      return new Error(failureText(failure), { cause: error });
  }
}

function rethrowTranslated(error: unknown): never {
  throw translated(error);
}

async function deadline<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  return await withDeadline(work, timeoutMs, 'the call to the sandbox');
}
