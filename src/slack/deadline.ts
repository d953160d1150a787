/** Within Slack's 3 s: docs.slack.dev/interactivity/handling-user-interaction#acknowledgment_response */

/** The receiver answers in place of a listener after this time, in ms. Leaves 200 ms for the network. */
export const ackDeadlineMs = 2800;
/** Deadline for a listener's work, in ms. The rest is for its answer. */
export const workDeadlineMs = 2500;
/** Deadline for one Web API call of a listener, in ms. */
export const callDeadlineMs = 2000;
/** Shorter than a call, which continues in the background. */
export const notifyDeadlineMs = 1800;
