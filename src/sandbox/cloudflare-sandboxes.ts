/**
 * Implements the sandbox port over a container's Durable Object. Translates and bounds; decides nothing.
 * Everything from a container is untrusted once Codex has run: this parses replies and checks sizes; the
 * caller has to distrust the contents.
 */
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
import { failureKind, failureOf, failureText } from './cloudflare-failure.ts';
import {
  encodeCommand,
  errorCodeIn,
  installCall,
  parseReply,
  requireAbsolute,
  requireRunName,
  scriptCall,
  type Reply,
} from './cloudflare-inside.ts';
import type { SandboxStatus } from './cloudflare-life.ts';
import type { ContainerObject } from './cloudflare-object.ts';
import { insideScript } from './cloudflare-script.ts';

/** Deadline of calls that do not wait themselves; longer than the deadlines inside the container. */
const answerMs = 20_000;
/** Deadline for a machine and what runs on it first; the Durable Object's class bounds the parts. */
const bootMs = 90_000;
const authorityMs = 8_000;
const destroyMs = 25_000;
const endReportMs = 2_000;
/** No authority within `authorityMs`, or none while the SDK's server, which exits without one, waited. */
const notIntercepted =
  'the sandbox’s outbound interception is off: its container got no certificate authority from the platform. Deploy without "placement.mode": "targeted", then run npm run doctor. If it is off still, ask Cloudflare’s support';
const maxReadBytes = 1024 * 1024;
/** Bytes of one output. Both together as base64 stay below 8 MiB, as each message to and from a container. */
const maxExecOutputBytes = 2 * 1024 * 1024;

export function cloudflareSandboxes(namespace: DurableObjectNamespace<ContainerObject>): Sandboxes {
  return {
    idFor: (taskId) => namespace.idFromName(taskId).toString(),
    get: (sandboxId) => cloudflareSandbox(() => namespace.get(namespace.idFromString(sandboxId))),
  };
}

/** `sandbox` returns a new stub at each call, because a stub that failed stays failed. */
function cloudflareSandbox(sandbox: () => DurableObjectStub<ContainerObject>): SandboxPort {
  /** Performs a call that needs the started container, and tells a lost sandbox from a failed call. */
  async function within<T>(timeoutMs: number, act: (instance: string) => Promise<T>): Promise<T> {
    const status = await statusNow();
    if (status.kind !== 'running') throw lost(status);
    try {
      return await deadline(async () => await act(status.instance), timeoutMs);
    } catch (error) {
      if (error instanceof SandboxLostError || error instanceof TypeError) throw error;
      // No error text says reliably whether the container is gone; its Durable Object does.
      const after = await statusNow().catch(() => status);
      throw after.kind === 'running' ? translated(error) : lost(after);
    }
  }

  async function statusNow(): Promise<SandboxStatus> {
    try {
      return await deadline(async () => await sandbox().lifeStatus(), answerMs);
    } catch (error) {
      throw translated(error);
    }
  }

  /** Asks the script in the container. `deadlineMs` is the caller's own. */
  async function ask(
    instance: string,
    words: readonly (string | number)[],
    { deadlineMs, input = null }: { deadlineMs: number; input?: Uint8Array | null },
  ): Promise<Reply> {
    const reply = parseReply(await sandbox().call(scriptCall(instance, words), input, deadlineMs));
    if (reply === null) throw new Error('the container’s answer is not a reply of the script');
    if (reply.kind !== 'replaced') return reply;
    const why = 'its container was replaced by another one';
    await sandbox().markLost(why);
    throw new SandboxLostError(why);
  }

  async function prepare(instance: string, maxProcesses: number): Promise<void> {
    const script = new TextEncoder().encode(insideScript);
    const made = await sandbox().call(installCall(instance), script, answerMs);
    if (made.exitCode !== 0) throw new Error('the container has no room for the sandbox’s script');
    const until = Date.now() + authorityMs;
    let waited = false;
    try {
      while ((await ask(instance, ['prepare', maxProcesses], { deadlineMs: answerMs })).kind !== 'done') {
        waited = true;
        if (Date.now() > until) throw new SandboxNotInterceptedError(notIntercepted);
        await pause();
      }
    } catch (error) {
      if (waited && (await hasEnded())) throw new SandboxNotInterceptedError(notIntercepted);
      throw error;
    }
  }

  /** A call fails before the platform reports the end of its container. */
  async function hasEnded(): Promise<boolean> {
    const until = Date.now() + endReportMs;
    while (await sandbox().containerRuns()) {
      if (Date.now() > until) return false;
      await pause();
    }
    return true;
  }

  return {
    /** The instance type sets memory and disk; the class takes it and the image from the spec, or refuses. */
    async start(spec) {
      const booted = await deadline(async () => await sandbox().bootOnce(spec), bootMs).catch(
        rethrowTranslated,
      );
      if (booted.kind === 'unsupported') throw new SandboxUnsupportedError(booted.why);
      if (booted.kind === 'busy') throw new SandboxBusyError('the platform has no free container now');
      if (booted.kind === 'lost') throw lost(booted);
      if (booted.kind === 'running') return;
      const instance = newName();
      try {
        await deadline(async () => await prepare(instance, spec.maxProcesses), authorityMs + answerMs);
      } catch (error) {
        const status = await statusNow();
        // A concurrent start has settled it meanwhile.
        if (status.kind === 'running') return;
        if (status.kind === 'lost') throw lost(status);
        throw error instanceof SandboxNotInterceptedError ? error : translated(error);
      }
      const settled = await deadline(async () => await sandbox().settle(instance), answerMs).catch(
        rethrowTranslated,
      );
      if (settled.kind !== 'running') throw lost(settled);
    },

    async writeFile(path, content) {
      requireAbsolute(path);
      const deadlineMs = 2 * answerMs;
      const input = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      await within(deadlineMs, async (instance) => {
        const words = ['write-file', newName(), input.length, path];
        refuseFailure(await ask(instance, words, { deadlineMs, input }));
      });
    },

    async readFile(path, { offset, maxBytes }) {
      requireAbsolute(path);
      return await within(answerMs, async (instance) => {
        const max = Math.min(maxBytes, maxReadBytes);
        const reply = refuseFailure(
          await ask(instance, ['read-file', offset, max, path], { deadlineMs: answerMs }),
        );
        if (reply.kind === 'none') return null;
        if (reply.kind !== 'file') throw unexpected(reply);
        return { bytes: reply.bytes.subarray(0, max), size: reply.size };
      });
    },

    async exec(command, limits) {
      const maxOutputBytes = Math.min(limits.maxOutputBytes, maxExecOutputBytes);
      const input = encodeCommand(command, { ...limits, maxOutputBytes });
      const deadlineMs = limits.timeoutMs + 2 * answerMs;
      return await within(deadlineMs, async (instance) => {
        const reply = refuseFailure(await ask(instance, ['exec', newName()], { deadlineMs, input }));
        if (reply.kind !== 'exec') throw unexpected(reply);
        const { exitCode, timedOut, truncated } = reply;
        const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes.subarray(0, maxOutputBytes));
        return { exitCode, timedOut, truncated, stdout: text(reply.stdout), stderr: text(reply.stderr) };
      });
    },

    async startRun(name, command) {
      requireRunName(name);
      const input = encodeCommand(command, { timeoutMs: 0, maxOutputBytes: 0 });
      const deadlineMs = 2 * answerMs;
      await within(deadlineMs, async (instance) => {
        refuseFailure(await ask(instance, ['start-run', name, newName()], { deadlineMs, input }));
      });
    },

    async readRun(name, range) {
      requireRunName(name);
      const waitMs = Math.min(range.waitMs, 30_000);
      const deadlineMs = waitMs + answerMs;
      return await within(deadlineMs, async (instance) => {
        const max = Math.min(range.maxBytes, maxReadBytes);
        const reply = await ask(instance, ['read-run', name, range.offset, max, waitMs], { deadlineMs });
        if (reply.kind === 'none') throw new Error('no run has that name');
        if (reply.kind !== 'run') throw unexpected(reply);
        return { bytes: reply.bytes.subarray(0, max), size: reply.size, exitCode: reply.exitCode };
      });
    },

    async destroy() {
      // Can hang on a sick container. The caller retries; the sandbox is already remembered as ended.
      await deadline(async () => await sandbox().destroy(), destroyMs).catch(rethrowTranslated);
    },
  };
}

const pause = async () => await new Promise((resolve) => setTimeout(resolve, 100));

const newName = (): string => crypto.randomUUID().replaceAll('-', '');

function lost(status: SandboxStatus): SandboxLostError {
  return new SandboxLostError(status.kind === 'lost' ? status.why : 'it was never started');
}

function refuseFailure(reply: Reply): Reply {
  if (reply.kind !== 'failed') return reply;
  const code = /^E[A-Z]+$/.test(reply.problem) ? reply.problem : errorCodeIn(reply.problem);
  throw new Error(`${code}: the call to the sandbox failed`);
}

const unexpected = (reply: Reply): Error => new Error(`the container answered “${reply.kind}”`);

function translated(error: unknown): Error {
  const failure = failureOf(error);
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

async function deadline<T>(work: () => Promise<T>, timeoutMs: number): Promise<T> {
  return await withDeadline(work(), timeoutMs, 'the call to the sandbox');
}
