/** What the egress decision returns. Rule codes are stable: receipts, answers and tests use them. */
import type { Fault, GrantedRepository } from '../core/grant.ts';
import type { Registry } from '../core/registry.ts';

export interface RequestHead {
  readonly method: string;
  /** Absolute, exactly as the client would request it. */
  readonly url: string;
  /** Lower-case names. */
  readonly header: (name: string) => string | null;
}

/** The sandbox tried what it may not. The only kind of denial, by head and by body alike. */
export interface Denial {
  readonly kind: 'deny';
  readonly rule: string;
  readonly status: number;
  /** A sentence for the person who reads the receipt, and for the model. Never holds a credential. */
  readonly reason: string;
}

/** The sandbox may, but we or the upstream failed. */
export interface Failure {
  readonly kind: 'fail';
  readonly fault: Fault;
  readonly rule: string;
  readonly status: number;
  /** As in `Denial`. */
  readonly reason: string;
}

/** A request that was answered as it should be. */
export interface Passed {
  readonly kind: 'pass';
  readonly rule: string;
  readonly status: number;
}

export type RequestEnd = Passed | Denial | Failure;

export const deny = (rule: string, reason: string, status = 403): Denial => ({
  kind: 'deny',
  rule,
  status,
  reason,
});

export interface GithubVerdict {
  readonly kind: 'allow-github';
  readonly rule: 'github.info-refs' | 'github.upload-pack';
  readonly repository: GrantedRepository;
  /** Below the repository's own address. */
  readonly endpoint: 'info/refs?service=git-upload-pack' | 'git-upload-pack';
}

export interface RegistryVerdict {
  readonly kind: 'allow-registry';
  readonly rule: 'registry.fetch';
  readonly method: 'GET' | 'HEAD';
  /** Absolute, always https. */
  readonly target: string;
  /** Names the credential. */
  readonly registry: Registry;
}

export type EgressVerdict =
  | Denial
  /** The handler answers; nothing goes upstream. */
  | {
      readonly kind: 'answer';
      readonly rule: 'canary' | 'openai.models';
      readonly contentType: string;
      readonly body: string;
    }
  | GithubVerdict
  | RegistryVerdict
  /** The head is allowed; the body decides. */
  | {
      readonly kind: 'inspect-lfs';
      readonly rule: 'github.lfs-batch';
      readonly repository: GrantedRepository;
    }
  | {
      readonly kind: 'fetch-lfs-object';
      readonly rule: 'github.lfs-object';
      readonly repository: GrantedRepository;
      /** SHA-256 in lower-case hex. */
      readonly oid: string;
      readonly size: number;
    }
  /** The head is allowed; the body decides. */
  | { readonly kind: 'inspect-openai'; readonly rule: 'openai.responses' }
  | {
      readonly kind: 'allow-host';
      readonly rule: 'host.setup' | 'host.extra';
      readonly method: 'GET' | 'HEAD';
      /** Absolute, always https. */
      readonly target: string;
    };
