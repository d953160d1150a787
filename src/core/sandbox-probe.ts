/** What a probe of a sandbox found. The doctor reads it. */
export interface SandboxProbe {
  /** Milliseconds from the request to a sandbox that runs commands. */
  readonly bootMs: number;
  /** The canary's probes with an unexpected result; empty for a sealed sandbox. */
  readonly unsealed: readonly { readonly name: string; readonly got: string }[];
  /** `0.171.0`; null when Codex did not answer. */
  readonly codexVersion: string | null;
  /** `26.10.0`; null when Node did not answer. */
  readonly nodeVersion: string | null;
}
