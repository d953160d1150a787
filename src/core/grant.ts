/** What one sandbox may reach and has reached, looked up by its own id, which it cannot change. */
import type { Registry } from './registry.ts';

/** `clone`: GitHub. `setup`: its hosts. `run`: OpenAI, fetches and the extra hosts. `sealed`: nothing. */
export type GrantPhase = 'clone' | 'setup' | 'run' | 'sealed';

/** In order: a task may skip a phase and never returns to one. */
export const grantPhases = ['clone', 'setup', 'run', 'sealed'] as const satisfies readonly GrantPhase[];

export interface GrantedRepository {
  readonly owner: string;
  readonly name: string;
  readonly installationId: number;
  readonly repositoryId: number;
}

export interface Grant {
  readonly taskId: string;
  readonly phase: GrantPhase;
  readonly repositories: readonly GrantedRepository[];
  /** Readable like `repositories`, never published to: submodules, and the configuration's `alsoRead`. */
  readonly alsoRead: readonly GrantedRepository[];
  /** Allows Git LFS downloads of `repositories` while cloning. */
  readonly lfs: boolean;
  /** Exact host names, open to GET and HEAD without a credential in the phase `setup` only. */
  readonly setupHosts: readonly string[];
  /** Private registries, open in the phase `setup` only, with a credential that the handler adds. */
  readonly registries: readonly Registry[];
  /** As `setupHosts` in the phase `run`, for teams that accept that a GET can carry data out. */
  readonly extraHosts: readonly string[];
  readonly models: readonly string[];
  /** The handler's answer under the canary path, which proves from inside that this handler decides. */
  readonly canaryNonce: string;
  readonly budgets: {
    /** All requests, denied ones included. */
    readonly requests: number;
    /** Input plus output tokens, as OpenAI reports them on the response stream. */
    readonly tokens: number;
    /** Bytes of request bodies that went to an upstream. */
    readonly bytesUp: number;
    /** Bytes of response bodies that came from an upstream. */
    readonly bytesDown: number;
  };
  readonly used: {
    readonly requests: number;
    readonly tokens: number;
    readonly bytesUp: number;
    readonly bytesDown: number;
  };
}

export type BudgetName = keyof Grant['budgets'];

/** Tokens of model answers as the egress handler read them from OpenAI's streams, outside the sandbox. */
export interface TokenUsage {
  readonly inputTokens: number;
  /** A part of the input. */
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  /** More than input and output if an answer ended before it reported its usage: then its size is charged. */
  readonly totalTokens: number;
}

/** Usage of which only the total is known. */
export function totalOnly(totalTokens: number): TokenUsage {
  return { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, totalTokens };
}

export function addUsage(one: TokenUsage, other: TokenUsage): TokenUsage {
  return {
    inputTokens: one.inputTokens + other.inputTokens,
    cachedInputTokens: one.cachedInputTokens + other.cachedInputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    totalTokens: one.totalTokens + other.totalTokens,
  };
}

/** Whose fault a failed request is: `ours` is Airlock's own credential, configuration or code. */
export type Fault = 'ours' | 'upstream';

/** One request that a sandbox made. Never holds a query string, a header or a body. */
export type EgressEntry = {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly method: string;
  readonly host: string;
  /** Path class: without query, long segments and long tails; at most 200 characters. */
  readonly path: string;
  /** Stable code: the rule that allowed or denied the request, or the cause of its failure. */
  readonly rule: string;
  /** Sentence for people; empty for an allowed request. */
  readonly reason: string;
  /** What the model said when it refused to answer. Untrusted, at most 2,000 characters. */
  readonly refusal?: string;
  /** Further requests of the same flood, of which only the number is known. */
  readonly more?: number;
  /** What the sandbox was answered. */
  readonly status: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
} & (
  | {
      /** `denied`: the sandbox tried what it may not. */
      readonly verdict: 'allowed' | 'denied';
    }
  /** The sandbox may, but we or the upstream failed. */
  | { readonly verdict: 'failed'; readonly fault: Fault }
);

/** The network receipt of a task, as the pull request shows it. */
export interface Receipt {
  /** What was exchanged with each host, also by requests that failed or were cut off in the middle. */
  readonly hosts: readonly {
    readonly host: string;
    readonly requests: number;
    readonly bytesUp: number;
    readonly bytesDown: number;
  }[];
  /** One row for each distinct (method, host, path, rule), most recent last; at most 50 rows. */
  readonly denied: readonly {
    readonly method: string;
    readonly host: string;
    readonly path: string;
    readonly rule: string;
    readonly reason: string;
    readonly count: number;
    /** When the first of them was made, milliseconds since the epoch. */
    readonly at: number;
    /** What ran in the sandbox at the first of them: untrusted, at most 500 characters; null if unclear. */
    readonly command?: string | null;
  }[];
  /** All denied requests, also those beyond the rows. */
  readonly deniedTotal: number;
  /** One row for each distinct (host, rule, reason), most recent last; at most 20 rows. */
  readonly failed: readonly {
    readonly host: string;
    readonly fault: Fault;
    readonly rule: string;
    readonly reason: string;
    readonly count: number;
  }[];
  /** All failed requests, also those beyond the rows. */
  readonly failedTotal: number;
}
export const emptyReceipt: Receipt = { hosts: [], denied: [], deniedTotal: 0, failed: [], failedTotal: 0 };
