/**
 * The sandbox contract over Cloudflare's sandbox SDK. Translates and bounds; decides nothing. Everything out of a container is untrusted
 * once Codex has run: replies are parsed, sizes checked, contents are the caller's to distrust.
 */
import { getSandbox, isDurableObjectCodeUpdateReset, isPlatformTransientError } from '@cloudflare/sandbox';
import {
  SandboxBusyError,
  SandboxLostError,
  SandboxUnavailableError,
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
  type Reply,
} from './cloudflare-inside.ts';
import type { Standing } from './cloudflare-life.ts';
import { insideScript } from './cloudflare-script.ts';
import type { TaskSandbox } from './cloudflare.ts';

/** For everything that does not wait by itself; beyond the deadlines inside the container. */
const answerMs = 20_000;
/** A machine, its server and the interceptor's authority; the parts are bounded in `cloudflare.ts`. */
const bootMs = 90_000;
const authorityMs = 15_000;
const destroyMs = 25_000;
const maxReadBytes = 1024 * 1024;
/** Each. Both together as base64 stay well below the 32 MiB of one message. */
const maxExecOutputBytes = 4 * 1024 * 1024;

const sdkOptions = { transport: 'rpc', enableDefaultSession: false, sleepAfter: '15m' } as const;

export function cloudflareSandboxes(namespace: DurableObjectNamespace<TaskSandbox>): Sandboxes {
  return {
    idFor: (taskId) => namespace.idFromName(taskId).toString(),
    get: (sandboxId) => {
      const only = namespaceOf(namespace, sandboxId);
      // To the SDK the name is a label; it takes 63 characters of it.
      return cloudflareSandbox(() => getSandbox(only, sandboxId.slice(0, 63), sdkOptions));
    },
  };
}

/** `sandbox` gives a new stub at each call: one that has failed stays failed. */
function cloudflareSandbox(sandbox: () => TaskSandbox): SandboxPort {
  /** Carries out what needs the started container, and tells a lost sandbox from a failed call. */
  async function within<T>(timeoutMs: number, act: (instance: string) => Promise<T>): Promise<T> {
    const standing = await standingNow();
    if (standing.kind !== 'running') throw lost(standing);
    try {
      return await deadline(act(standing.instance), timeoutMs);
    } catch (error) {
      if (error instanceof SandboxLostError || error instanceof TypeError) throw error;
      // The text of an error does not tell reliably whether the container is gone; its Durable Object does.
      const after = await standingNow().catch(() => standing);
      throw after.kind === 'running' ? translated(error) : lost(after);
    }
  }

  async function standingNow(): Promise<Standing> {
    try {
      return await deadline(sandbox().standing(), answerMs);
    } catch (error) {
      throw translated(error);
    }
  }

  async function ask(instance: string, words: readonly (string | number)[]): Promise<Reply> {
    const reply = parseReply(await sandbox().exec(commandLine(instance, words)));
    if (reply === null) throw new Error('the container answered something else than was asked');
    if (reply.kind !== 'replaced') return reply;
    const why = 'its container was replaced by another one';
    await sandbox().markLost(why);
    throw new SandboxLostError(why);
  }

  /** As base64, so that what arrives is what was sent, byte for byte. */
  async function put(path: string, content: string | Uint8Array): Promise<void> {
    const base64 = encodeBase64(typeof content === 'string' ? new TextEncoder().encode(content) : content);
    release(await sandbox().writeFile(path, base64, { encoding: 'base64' }));
  }

  async function prepare(instance: string, maxProcesses: number): Promise<void> {
    const made = await sandbox().exec(makeFolders(instance));
    if (made.exitCode !== 0) throw new Error('the container has no room for the sandbox’s script');
    await put(scriptPath(instance), insideScript);
    const until = Date.now() + authorityMs;
    while ((await ask(instance, ['prepare', maxProcesses])).kind !== 'done') {
      if (Date.now() > until)
        throw new Error('the container was not told whom to trust: is HTTPS intercepted?');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  return {
    /** Memory and disk are those of the deployment's instance type; of the spec only the number of processes is set here. */
    async start(spec) {
      const booted = await deadline(sandbox().bootOnce(), bootMs).catch(rethrowTranslated);
      if (booted.kind === 'busy') throw new SandboxBusyError('the platform has no container to give now');
      if (booted.kind === 'lost') throw lost(booted);
      if (booted.kind === 'running') return;
      const instance = newName();
      try {
        await deadline(prepare(instance, spec.maxProcesses), authorityMs + answerMs);
      } catch (error) {
        const standing = await standingNow();
        // Somebody else, who started it too, has settled it meanwhile.
        if (standing.kind === 'running') return;
        throw standing.kind === 'lost' ? lost(standing) : translated(error);
      }
      const settled = await deadline(sandbox().settle(instance), answerMs).catch(rethrowTranslated);
      if (settled.kind !== 'running') throw lost(settled);
    },

    async writeFile(path, content) {
      requireAbsolute(path);
      await within(2 * answerMs, async (instance) => {
        const call = newName();
        await put(callPath(instance, call, 'data'), content);
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
        await put(callPath(instance, call, 'args'), encoded);
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
        await put(callPath(instance, call, 'args'), encoded);
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
      // May hang on a sick container. The caller tries again; meanwhile it is remembered as ended.
      await deadline(sandbox().destroy(), destroyMs).catch(rethrowTranslated);
    },
  };
}

/**
 * The SDK finds an object by its name; everything here knows it by its id, which is also what the egress handler is told. So the SDK is
 * given a namespace in which every name means this one object.
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

/** The SDK passes on what its own connection to the container returned, which holds that end of it until it is disposed of. */
function release(result: object): void {
  if (isDisposable(result)) result[Symbol.dispose]();
}

function isDisposable(value: object): value is Disposable {
  return Symbol.dispose in value && typeof value[Symbol.dispose] === 'function';
}

const newName = (): string => crypto.randomUUID().replaceAll('-', '');

function lost(standing: Standing): SandboxLostError {
  return new SandboxLostError(standing.kind === 'lost' ? standing.why : 'it was never started');
}

function refuseFailure(reply: Reply): Reply {
  if (reply.kind !== 'failed') return reply;
  const code = /^E[A-Z]+$/.test(reply.problem) ? reply.problem : errorCodeIn(reply.problem);
  throw new Error(`${code}: the sandbox could not carry it out`);
}

const unexpected = (reply: Reply): Error => new Error(`the container answered “${reply.kind}”`);

function translated(error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  const platform = isDurableObjectCodeUpdateReset(error) || isPlatformTransientError(error);
  const failure = { message, platform };
  switch (failureKind(failure)) {
    case 'busy':
      return new SandboxBusyError('the platform has no container to give now');
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
