/** What the egress decision can come to. Rule codes are stable: they stand in receipts, in answers to the sandbox and in tests. */
import type { GrantedRepository } from '../core/grant.ts';

export interface RequestHead {
  readonly method: string;
  /** Absolute, exactly as it would be requested. */
  readonly url: string;
  /** Lower-case names. */
  readonly header: (name: string) => string | null;
}

export interface Denial {
  readonly kind: 'deny';
  readonly rule: string;
  readonly status: number;
  /** A sentence for the person who reads the receipt, and for the model. Never holds a credential. */
  readonly reason: string;
}

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

export type EgressVerdict =
  | Denial
  /** Answered here; nothing goes upstream. */
  | {
      readonly kind: 'answer';
      readonly rule: 'canary' | 'openai.models';
      readonly contentType: string;
      readonly body: string;
    }
  | GithubVerdict
  /** The head is fine; the body decides. */
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
  /** The head is fine; the body decides. */
  | { readonly kind: 'inspect-openai'; readonly rule: 'openai.responses'; readonly target: '/responses' }
  | {
      readonly kind: 'allow-host';
      readonly rule: 'host.setup' | 'host.extra';
      readonly method: 'GET' | 'HEAD';
      /** Absolute, always https. */
      readonly target: string;
    };
