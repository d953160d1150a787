/** Every limit of the egress handler that is not in the grant, with its unit and reason. */
export const egressLimits = {
  /** Of a URL. Git, Codex and package managers stay far below; GitHub refuses more. */
  urlCharacters: 8_192,
  /** Codex sends 31–72 KB, a few MB after long turns; in memory five times meanwhile, of 128 MB. */
  openaiBodyBytes: 16 * 1024 * 1024,
  /** Bytes of an LFS batch request: git-lfs asks for 100 objects at a time, about 120 bytes each. */
  lfsBatchBytes: 256 * 1024,
  lfsBatchObjects: 1_000,
  /** Bytes of GitHub's answer to a batch: about 1 KB of signed URL an object. */
  lfsAnswerBytes: 4 * 1024 * 1024,
  /** Registries lead to a CDN or a bucket, some by way of a login-free address of their own. */
  registryRedirects: 3,
  /** Bytes of a gzip file that is unpacked and searched before it passes. A program's echo is smaller. */
  searchedGzipBytes: 256 * 1024,
  /** Bytes that it may unpack to. Ordinary packages unpack to five times their size. */
  unpackedBytes: 32 * 1024 * 1024,
  /** Bytes of an OpenAI error that are read in order to rewrite it. */
  openaiErrorBytes: 64 * 1024,
  /** Nesting of a JSON body. Codex nests about 15 deep, in the schemas of its tools. */
  jsonDepth: 64,
  /** Bounds the time of the inspection. A turn of 3,000 items has about 45,000. */
  jsonValues: 200_000,
  /** Codex makes one; tokens are known only at the end, so more can overdraw the budget. */
  openModelRequests: 4,
  /** Bytes are counted only at the end. Package managers open 15 (npm) to 64 (pnpm). */
  openTransfers: 128,
  /** Charged for a stream that ends without its usage: a turn with much reasoning has 5,000 to 15,000. */
  unreportedTokens: 16_000,
  /** Most requests end before, and cost the record no further call. */
  phaseWatchAfterMs: 500,
  /** How long one call waits in the record for the end of the phase. */
  phaseWaitMs: 25_000,
  /** Failed calls in a row, and the time between them, after which a request is aborted. */
  phaseWatchFailures: 15,
  phaseWatchRetryMs: 1_000,
  /** Longest wait for the sandbox to send the next piece of a request body. */
  requestIdleMs: 60_000,
  /** Deadline for the upstream's headers. A model may think for minutes, but its stream opens at once. */
  upstreamHeadersMs: 120_000,
  /** Longest silence in a model's stream. Codex itself gives up after 180 s. */
  modelIdleMs: 300_000,
  /** Longest silence in any other answer. GitHub reports progress every five seconds while it packs. */
  transferIdleMs: 120_000,
} as const;
