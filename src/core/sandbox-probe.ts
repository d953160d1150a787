/** What a probe of the canary got, for the operator. */
export interface ProbeFinding {
  readonly name: string;
  readonly got: string;
}

/** What the platform gives a sandbox. `open`: a door that only a local Docker engine leaves open. */
export interface PlatformFinding extends ProbeFinding {
  readonly open: boolean;
}

/** What a probe of a sandbox found. The doctor reads it. */
export interface SandboxProbe {
  /** Milliseconds from the request to a sandbox that runs commands. */
  readonly bootMs: number;
  /** The canary's probes with a wrong answer; empty for a sealed sandbox. */
  readonly unsealed: readonly ProbeFinding[];
  /** The canary's probes and programs that did not answer in time. */
  readonly unanswered: readonly ProbeFinding[];
  /** Empty in a sandbox that is not proven sealed. */
  readonly platform: readonly PlatformFinding[];
  /** `0.171.0`; null when Codex did not answer. Not asked in a sandbox that is not proven sealed. */
  readonly codexVersion: string | null;
  /** `26.10.0`; null when Node did not answer. Not asked in a sandbox that is not proven sealed. */
  readonly nodeVersion: string | null;
}
