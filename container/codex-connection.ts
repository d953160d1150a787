/**
 * Runs `codex app-server` and speaks line-delimited JSON-RPC with it: requests with deadlines, notifications,
 * refusals, its end. Knows the framing, not the meaning of a turn.
 */
import { spawn } from 'node:child_process';
import { isRecord } from './codex-job.ts';
import type { Notification } from './event-file.ts';
import { createLineSplitter } from './line-splitter.ts';

/** Codex refused a request. The message is Codex's own and can be shown to people. */
export class CodexRefusal extends Error {
  override readonly name = 'CodexRefusal';
}

/** How Codex ended. `stderrTail` is at most 2,000 characters. */
export interface CodexEnd {
  readonly reason: string;
  readonly stderrTail: string;
}

export interface CodexConnection {
  /** Resolves with the result. Rejects when Codex refuses, ends, or does not answer within `deadlineMs`. */
  request(method: string, params: unknown, deadlineMs: number): Promise<unknown>;
  notify(method: string): void;
  /** Resolves when the process has ended and its output was read, or when it could not be started. */
  readonly ended: Promise<CodexEnd>;
  /** Sends SIGTERM, then SIGKILL after `graceMs`. Resolves when the process has ended. */
  stop(graceMs: number): Promise<void>;
}

export interface CodexProcess {
  readonly binary: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onNotification: (notification: Notification) => void;
  /** Called for a line that is no JSON-RPC message. Not fatal. */
  readonly onMalformed: (line: string) => void;
}

const stderrTailCharacters = 2_000;
/** Longer lines are dropped. Codex's longest lines (all items of a turn) are far shorter. */
const maxLineCharacters = 64 * 1024 * 1024;

/** Refuses a request of Codex to its client. With `approvalPolicy: "never"` Codex sends none. */
export function declineOf(
  method: string,
): { result: unknown } | { error: { code: number; message: string } } {
  switch (method) {
    case 'item/commandExecution/requestApproval':
    case 'item/fileChange/requestApproval':
      return { result: { decision: 'decline' } };
    case 'item/permissions/requestApproval':
      return { result: { permissions: {}, scope: 'turn' } };
    case 'applyPatchApproval':
    case 'execCommandApproval':
      return { result: { decision: { denied: { rejection: 'No person is available to approve this.' } } } };
    case 'item/tool/requestUserInput':
      return { result: { answers: {} } };
    case 'mcpServer/elicitation/request':
      return { result: { action: 'decline', content: null, _meta: null } };
    case 'item/tool/call':
      return { result: { contentItems: [], success: false } };
    default:
      return { error: { code: -32601, message: `not supported: ${method.slice(0, 100)}` } };
  }
}

interface Pending {
  readonly settle: (outcome: { result: unknown } | { failure: Error }) => void;
}

/** Starts Codex. Never throws: a missing binary is reported by `ended`. */
export function startCodex(process: CodexProcess): CodexConnection {
  const child = spawn(process.binary, ['app-server'], {
    cwd: process.cwd,
    env: process.env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const pending = new Map<number, Pending>();
  let nextId = 0;
  let endError: Error | null = null;
  let stderrTail = '';

  const send = (message: unknown): void => {
    child.stdin.write(`${JSON.stringify(message)}\n`);
  };
  // A write after the process has ended; `ended` reports the end.
  child.stdin.on('error', () => undefined);
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderrTail = (stderrTail + text).slice(-stderrTailCharacters);
  });

  function receive(line: string): void {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      return process.onMalformed(line);
    }
    if (!isRecord(message)) return process.onMalformed(line);
    const { id, method, params, result, error } = message;
    if (typeof method === 'string') {
      if (id === undefined) process.onNotification({ method, params: params ?? null });
      else send({ id, ...declineOf(method) });
      return;
    }
    const waiting = typeof id === 'number' ? pending.get(id) : undefined;
    if (waiting === undefined) return process.onMalformed(line);
    if (error === undefined) return waiting.settle({ result });
    const text =
      isRecord(error) && typeof error['message'] === 'string' ? error['message'] : JSON.stringify(error);
    waiting.settle({ failure: new CodexRefusal(text) });
  }

  const split = createLineSplitter({
    onLine: (line) => {
      if (line.trim() !== '') receive(line);
    },
    onOverlong: () => process.onMalformed('[a line over 64 MiB]'),
    maxCharacters: maxLineCharacters,
  });
  child.stdout.setEncoding('utf8').on('data', split);

  const ended = new Promise<CodexEnd>((resolve) => {
    const end = (reason: string): void => {
      endError = new Error(reason);
      resolve({ reason, stderrTail });
      for (const { settle } of pending.values()) settle({ failure: endError });
    };
    child.once('error', (error) => end(`Codex could not be started: ${error.message}`));
    // Not `close` alone: a background process of Codex can keep the pipe open after Codex has ended.
    child.once('exit', (code, signal) => {
      const reason = signal === null ? `Codex ended with exit code ${code}` : `Codex was ended by ${signal}`;
      const timer = setTimeout(() => end(reason), 1_000);
      child.once('close', () => {
        clearTimeout(timer);
        end(reason);
      });
    });
  });

  return {
    request(method, params, deadlineMs) {
      if (endError !== null) return Promise.reject(endError);
      const id = nextId++;
      return new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => settle({ failure: new Error(`Codex did not answer ${method} within ${deadlineMs} ms`) }),
          deadlineMs,
        );
        const settle: Pending['settle'] = (outcome) => {
          clearTimeout(timer);
          pending.delete(id);
          if ('failure' in outcome) reject(outcome.failure);
          else resolve(outcome.result);
        };
        pending.set(id, { settle });
        send({ id, method, params });
      });
    },
    notify: (method) => send({ method }),
    ended,
    async stop(graceMs) {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await ended;
      clearTimeout(timer);
    },
  };
}
