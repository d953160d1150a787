/** Every number that bounds a task's life, with its unit and the reason for it. */
export const taskLimits = {
  /** Cloning, collecting, publishing with its retries. After it the task is given up. */
  overheadMs: 30 * 60_000,
  /** For authorizing a task, which waits for GitHub: its hourly rate limit is reset within 60 minutes. */
  authorizeMs: 75 * 60_000,
  /** Bounds the back-off in an outage: at most 300 of the platform's 10,000 steps. */
  outagePollMs: 30_000,
  /** What a wait for an upstream leaves of the task's time for the steps that follow. */
  afterWaitMs: 5 * 60_000,
  /** For routing a task from Slack by a person's choice, and for an earlier task of the conversation. */
  routeMs: 14 * 60 * 60_000,
  /** In the queue for a slot. A queue longer than this is an operator's problem. */
  queueMs: 24 * 60 * 60_000,
  /** Heartbeat of a record whose task is queued. Slower, because hundreds can wait. */
  queueHeartbeatMs: 60_000,
  /**
   * Waiting in the Workflow is for the event `wake`. In case an event is lost, a wait polls too: after 15 s,
   * then twice as long each time, up to 5 minutes. Each poll takes two of the platform's 10,000 steps for an
   * instance: the wait and the look. The longest task:
   *
   *     routing, earlier task, choice   14 h     172 polls    344 steps
   *     queue for a slot                24 h     292 polls    584 steps
   *     start of the sandbox           6.5 h     810 polls  1,620 steps   (no event: see `startPollMs`)
   *     setup                         6.25 h      79 polls    158 steps
   *     Codex                          6.5 h      82 polls    164 steps
   *
   * Together 2,870 steps; `wait-for.test.ts` holds the sum.
   */
  pollFirstMs: 15_000,
  pollMaxMs: 5 * 60_000,
  /** No event says that a machine has room again: 36 polls after 5 s, then every 30 s. */
  startPollMs: 5_000,
  startPolls: 36,
  startSlowPollMs: 30_000,
  /** Overnight. The record gives up a little later (`routeMs`). */
  choiceMs: 12 * 60 * 60_000,
  /** Tasks that one task wakes when it is routed or ends. More than that poll. */
  waiters: 20,
  /** One call to the queue's object, from it to a record, or an event to a Workflow. */
  slotCallMs: 10_000,
  /** Delay before a slot's grant is announced again to a task that could not be reached. */
  slotRetryMs: 2_000,
  /** Reading two commits' trees and writing a few files. */
  guidanceMs: 2 * 60_000,
  /** Interval between two announcements of places in the queue. */
  placesEveryMs: 5_000,
  /** Interval between two checks whether a task still needs its slot, and its place in the queue. */
  leaseCheckMs: 60_000,
  waitCheckMs: 10 * 60_000,
  /** Records checked in one round, and concurrent calls in a round. */
  leaseChecks: 100,
  slotCallsAtOnce: 10,
  /** Tasks of each kind that one sweep checks. */
  sweepAtMost: 200,
  /** Of those not in the queue: the newest are being authorized. */
  sweepFresh: 30,
  /** Reclaims the slot of a record that never answers: longer than any sandbox can live. */
  leaseMs: 8 * 60 * 60_000,
  /** How long after the end the post is still retried: a chat can be down for hours. */
  showMs: 24 * 60 * 60_000,
  /** Interval between two of these retries. */
  showEveryMs: 60_000,
  /** After this time the record creates a Workflow instance that does not exist. */
  createMs: 30_000,
  /** Interval between two tries to revoke an ended task's tokens, and to wake its Workflow instance. */
  revokeEveryMs: 10_000,
  /** How long after the end the record looks whether its Workflow instance ends too. */
  settleMs: 60 * 60_000,
  /** The longest time that an edit waits for a rate limit. */
  quietMs: 60_000,
  /** Concurrent starts of one inbox. */
  inboxAtOnce: 4,
  /** Debounce window of an inbox and its upper bound. */
  inboxQuietMs: 50,
  inboxRushMs: 1000,
  inboxStartMs: 30_000,
  /** How long the answer to GitHub waits for the start of the task. */
  inboxAnswerMs: 1000,
  /** Tasks of one repository that are authorized at once; one that reports late no longer counts. */
  inboxChecks: 20,
  inboxCheckMs: 2 * 60_000,
  /** Requests that can wait in one inbox; GitHub gets a 5xx for further ones. */
  inboxWaiting: 2000,
  /** How long an inbox remembers who had access and who was refused where, and how many of each at most. */
  askerMs: 30 * 24 * 60 * 60_000,
  askers: 5000,
  /** Slack retries within an hour; a signature is valid for five minutes. */
  inboxMs: 24 * 60 * 60_000,
  /** GitHub redelivers for 3 days, but a signed body stays valid; Workflow ids are free again. */
  tombstoneMs: 365 * 24 * 60 * 60_000,
  /** Requests of one sandbox, denied ones included. A long Codex run makes a few hundred. */
  requests: 10_000,
  /** A long run sends Codex's growing context a few hundred times, a few MB each. */
  bytesUp: 2 * 1024 ** 3,
  /** Bytes received by one sandbox: a clone with its history, what setup installs, the model's answers. */
  bytesDown: 8 * 1024 ** 3,
  /** How long one alarm watches a run. Cloudflare ends an alarm after 15 minutes. */
  observeSliceMs: 10 * 60_000,
  /** How long one read of a run's output waits for more of it. */
  readWaitMs: 5_000,
  readBytes: 512 * 1024,
  /** A read waits by itself, but a hijacked init could answer at once for ever. */
  readEveryMs: 100,
  /**
   * A sandbox whose run cannot be read for this long is lost, though its container may run. A longer pause
   * between two reads is our own: nobody looked.
   */
  unreachableMs: 5 * 60_000,
  readPauseMs: 2 * 60_000,
  /** Heartbeat of a record while its task lives: after a crash the record is late by at most this. */
  heartbeatMs: 5_000,
  /** Pause before a step that could not be stored is tried again. */
  roomPollMs: 5_000,
  /** An alarm this late is run by the sweep: the platform delays those that failed. */
  lateAlarmMs: 2 * 60_000,
  /** GitHub's secondary limit is 80 content-creating requests a minute for an installation. */
  commentEveryMs: 5_000,
  /** One write of the file that passes remarks on to Codex. */
  passRemarksMs: 20_000,
  /** Interval between two reports of a running task to the metrics, besides those of its milestones. */
  reportEveryMs: 60_000,
  /** Interval of edits without news while Codex works, which show the elapsed time. */
  refreshEveryMs: 30_000,
  /** Interval between two writes of the progress. After a crash the rest is read again from the sandbox. */
  persistEveryMs: 500,
  /** Delay before the count of a sandbox's requests is written. */
  countEveryMs: 250,
  /** Lines of a task's log. About half of Codex's events become one. */
  events: 100_000,
  /** Lines of a log that Slack's modal is rendered from. */
  newestEvents: 1_000,
  /** Bytes of a run's output. A run that writes more is ended. */
  runOutputBytes: 256 * 1024 * 1024,
  /** The rollout of a six-call turn is about 100 KB. */
  rolloutBytes: 8 * 1024 * 1024,
  /** Base64 of the largest change plus its frame; one RPC carries at most 32 MiB. */
  changeBytes: 30 * 1024 * 1024,
  destroyMs: 30_000,
  /** One round of the canary; a probe in it waits at most 10 s. */
  canaryMs: 30_000,
  /** While probes get no answer: about four minutes at most, because a machine can be busy. */
  canaryRounds: 6,
  canaryPauseMs: 10_000,
  /** One attachment, and the time after which none is begun: together well below a step's five minutes. */
  attachmentMs: 60_000,
  attachmentsMs: 2 * 60_000,
  cloneMs: 5 * 60_000,
  /** Merging two trees that are in the sandbox. Renames make it slow. */
  mergeMs: 2 * 60_000,
  /** Unpacking an entry of the setup cache. With its transfer well below the five minutes of the step. */
  unpackMs: 90_000,
  collectMs: 3 * 60_000,
  /** Unpacking, putting files back, packing. After it setup is given up. */
  setupAroundMs: 15 * 60_000,
  /** One line with at most 200,000 characters of paths and 16,000 of output. */
  setupResultBytes: 1024 * 1024,
  /** Of setup's output in the message of a task. A comment shows 2,000 of a message. */
  setupTailCharacters: 1_200,
  /** Sandbox size for every task. */
  sandbox: { memoryBytes: 4 * 1024 ** 3, diskBytes: 4 * 1024 ** 3, maxProcesses: 1024 },
} as const;
