/**
 * The seam between the adapter (`cloudflare-sandboxes.ts`) and the Durable Object that has the container. Two
 * classes implement it: `native/` over the platform's own container interface, and `sdk/` over the sandbox
 * SDK. An entry of the Worker exports one of them as `TaskSandbox`; the other is then not in its bundle.
 */
import type { SandboxSpec } from '../core/ports/sandbox-port.ts';
import type { SandboxStatus } from './cloudflare-life.ts';

export interface CallResult {
  /** 128 + signal when killed. */
  readonly exitCode: number;
  /** Untrusted; at most `maxReplyBytes`. */
  readonly stdout: string;
}

/** Bytes of an answer of the container. The script's own are smaller (`cloudflare-sandboxes.ts`). */
export const maxReplyBytes = 8 * 1024 * 1024;

export type Booted =
  | SandboxStatus
  /** The platform has no free container now. */
  | { readonly kind: 'busy' }
  /** This deployment cannot start such a container. `why` has the remedy. */
  | { readonly kind: 'unsupported'; readonly why: string };

export interface ContainerObject extends Rpc.DurableObjectBranded {
  /** Starts the container, once. */
  bootOnce(spec: SandboxSpec): Promise<Booted>;
  /**
   * Marks the container as prepared. The first caller wins, so that concurrent starts use the same instance.
   */
  settle(instance: string): Promise<SandboxStatus>;
  lifeStatus(): Promise<SandboxStatus>;
  containerRuns(): Promise<boolean>;
  /** Ends the sandbox because another container answers in place of the one that was started. */
  markLost(why: string): Promise<void>;
  /** Rejects while the container still runs. It is remembered as ended before that, so no call runs in it. */
  destroy(): Promise<void>;
  /** Runs a program of ours as root in the container, with the image's variables, to its end. */
  call(argv: readonly string[], stdin: Uint8Array | null, deadlineMs: number): Promise<CallResult>;
}
