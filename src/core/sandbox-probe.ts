/** What a sandbox that was started only to be looked at has shown: the contract between the doctor and who can start one. */
export interface SandboxProbe {
  /** Milliseconds from the request to a sandbox that takes commands. */
  readonly bootMs: number;
  /** Empty: sealed. Otherwise each probe of the canary that did not get what it has to. */
  readonly unsealed: readonly { readonly name: string; readonly got: string }[];
  /** `0.171.0`; null when Codex did not answer. */
  readonly codexVersion: string | null;
  /** `26.10.0`; null when Node did not answer. */
  readonly nodeVersion: string | null;
}
