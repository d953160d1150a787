/** Every number of the egress handler that is not the grant's, with its unit and its why. */
export const egressLimits = {
  /** Characters of a URL. Git's, Codex's and package managers' stay far below; GitHub itself refuses more than 8 KiB. */
  urlCharacters: 8_192,
  /**
   * Bytes of one Responses request. Codex sends 31–72 KB at first and a few MB after long turns with images. The body is
   * held about five times over while it is decided (bytes, text, values, text, bytes), in a Worker of 128 MB.
   */
  openaiBodyBytes: 16 * 1024 * 1024,
  /** Bytes of an LFS batch request: git-lfs asks for 100 objects at a time, about 120 bytes each. */
  lfsBatchBytes: 256 * 1024,
  lfsBatchObjects: 1_000,
  /** Bytes of GitHub's answer to a batch: about 1 KB of signed URL an object. */
  lfsAnswerBytes: 4 * 1024 * 1024,
  /** Bytes of an error of OpenAI that are read, to be told in our words. */
  openaiErrorBytes: 64 * 1024,
  /** Nesting of a JSON body. Codex nests about 15 deep, in the schemas of its tools. */
  jsonDepth: 64,
  /** Values in a JSON body, which bounds the time that deciding takes. A turn of 3,000 items has about 45,000. */
  jsonValues: 200_000,
  /** Model requests of one sandbox at a time. Codex makes one; tokens are only known at an answer's end, so more could overdraw. */
  openModelRequests: 4,
  /**
   * Other requests of one sandbox at a time, whose bytes are only counted at their end. Package managers open 15 (npm) to 64 (pnpm);
   * more than this is no installation.
   */
  openTransfers: 128,
  /**
   * Tokens that a model's stream counts at least when it ends before its usage came. Reasoning is billed and not seen: a turn of much
   * thought has 5,000 to 15,000. A constant, as a request cannot bound it: `max_output_tokens` is refused.
   */
  unreportedTokens: 16_000,
  /** For the sandbox to send its next piece of a request body. */
  requestIdleMs: 60_000,
  /** Until the upstream's headers: a model may think for minutes, but its stream opens at once. */
  upstreamHeadersMs: 120_000,
  /** Between two pieces of a model's stream. Codex itself gives up after 180 s. */
  modelIdleMs: 300_000,
  /** Between two pieces of anything else. GitHub says something every five seconds while it packs. */
  transferIdleMs: 120_000,
} as const;
