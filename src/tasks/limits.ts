/** Every number that bounds a task's life, with its unit and its why. */
export const taskLimits = {
  /** All that is not the agent's time: waiting, cloning, collecting, publishing with its retries. Then the task is given up. */
  overheadMs: 30 * 60_000,
  /** Until it is known where a task from Slack belongs: a person's choice, and the task before it in its thread. */
  routeMs: 14 * 60 * 60_000,
  /** In the queue for a slot. Whoever asked has forgotten it by then, and a queue that long is an operator's problem. */
  queueMs: 24 * 60 * 60_000,
  /** While a task waits in the queue, its record wakes this often: nothing happens to it, and hundreds may wait. */
  queueHeartbeatMs: 60_000,
  /** How long a step waits for `slot-granted` before it looks by itself. Events are sent again until one arrives, so this is a net below a net. */
  slotPollMs: 10 * 60_000,
  /** One call of the queue's object, of a record by it, or an event to a Workflow instance. */
  slotCallMs: 10_000,
  /** How soon a grant that could not be told is told again. */
  slotRetryMs: 2_000,
  /** Between two rounds of telling tasks that their place in the queue has moved. */
  placesEveryMs: 5_000,
  /** How often the record of a task that holds a slot is asked whether it still needs it; and of one that waits. */
  leaseCheckMs: 60_000,
  waitCheckMs: 10 * 60_000,
  /** Records asked in one round, and calls of a round at the same time. */
  leaseChecks: 100,
  slotCallsAtOnce: 10,
  /** Tasks of each kind that one sweep looks at. */
  sweepAtMost: 200,
  /**
   * A slot whose record never answers is taken back then. Longer than any sandbox may be there: 6 hours of limits.minutes at most, what is around
   * them, and the watchdog's own lateness.
   */
  leaseMs: 8 * 60 * 60_000,
  /** How long the end is tried to be shown after it: a chat may be down for hours. */
  showMs: 24 * 60 * 60_000,
  /** Between two tries at that. */
  showEveryMs: 60_000,
  /** At most this long an edit waits for a chat that asked to wait. */
  quietMs: 60_000,
  /** Tasks of one inbox that are started at the same time. */
  inboxAtOnce: 4,
  /** So long without a new request and a rush is over; so long at most is it waited for. */
  inboxQuietMs: 50,
  inboxRushMs: 1000,
  inboxStartMs: 30_000,
  /** How long an inbox remembers what it has started: Slack's retries come within an hour, a replay within five minutes. */
  inboxMs: 24 * 60 * 60_000,
  /**
   * How long it is remembered that there was such a task, once its record has expired. GitHub sends a delivery again for 3 days, Slack for
   * an hour; but a signed body stays valid, and who kept one could send it at any time. Workflow ids do not help: they are free
   * again after 30 days at most. A row costs next to nothing.
   */
  tombstoneMs: 365 * 24 * 60 * 60_000,
  /** Requests of one sandbox, denied ones included. A long Codex run makes some hundreds. */
  requests: 10_000,
  /** Of all requests of one sandbox together: a long run sends Codex's growing context some hundred times, a few MB each. */
  bytesUp: 2 * 1024 ** 3,
  /** A clone with its history, what setup installs, answers of the model. */
  bytesDown: 8 * 1024 ** 3,
  /** One alarm may run for 15 minutes on Cloudflare; the observer hands over well before. */
  observeSliceMs: 10 * 60_000,
  /** How long one read of the run's output may wait for something to come. */
  readWaitMs: 5_000,
  readBytes: 512 * 1024,
  /** Between two reads while only the beginning of a line is there. Lines are written whole, so this is rare. */
  unfinishedLineMs: 100,
  /** While a task lives, its record wakes at least this often: after a crash it is late by no more than this. */
  heartbeatMs: 5_000,
  /** GitHub's secondary limit is 80 content-creating requests a minute for an installation; an edit counts. */
  commentEveryMs: 5_000,
  /** While Codex works and nothing new is to be told: how long it takes is, and that it still works. */
  refreshEveryMs: 30_000,
  /** Progress is written to disk at most this often; after a crash the rest is read again from the sandbox. */
  persistEveryMs: 500,
  /** How late the count of a sandbox's requests is written. */
  countEveryMs: 250,
  /** Lines kept of a task's log. */
  events: 5_000,
  /** Bytes of a run's output that are read at all; beyond it the run is ended. */
  runOutputBytes: 256 * 1024 * 1024,
  /** The rollout of a six-call turn is about 100 KB. */
  rolloutBytes: 8 * 1024 * 1024,
  /** Base64 of the largest change plus its frame; one RPC carries at most 32 MiB. */
  changeBytes: 30 * 1024 * 1024,
  destroyMs: 30_000,
  canaryMs: 20_000,
  cloneMs: 5 * 60_000,
  collectMs: 3 * 60_000,
  /** One step looks after setup for so long; the next goes on. */
  setupSliceMs: 60_000,
  /** Around the command itself: unpacking, putting files back, packing. Then it is given up. */
  setupAroundMs: 15 * 60_000,
  /** One line with at most 200,000 characters of paths and 16,000 of output. */
  setupResultBytes: 1024 * 1024,
  /** Of setup's output, in the message of a task that ended by it: GitHub's comment shows 2,000 characters of a message. */
  setupTailCharacters: 1_200,
  /** Sandbox size for every task. */
  sandbox: { memoryBytes: 4 * 1024 ** 3, diskBytes: 4 * 1024 ** 3, maxProcesses: 1024 },
} as const;
