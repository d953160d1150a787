/** Bounds what a person in Slack waits for. Slack gives up after 3 s (https://docs.slack.dev/interactivity/handling-user-interaction#acknowledgment_response). */

/** Milliseconds until the receiver answers for a listener that has not: 200 for the way to Slack and back. */
export const ackDeadlineMs = 2800;
/** Milliseconds for what a listener decides and does; the rest is for saying so. */
export const workDeadlineMs = 2500;
/** Milliseconds for one call of the Web API out of a listener. */
export const callDeadlineMs = 2000;
/** Milliseconds that an event waits for Slack to say that a person was told something: less than a call, which then goes on by itself. */
export const tellDeadlineMs = 1800;
