/**
 * Classifies a failed call to a sandbox on Cloudflare. Pure: reads the text of the error and the platform's
 * mark on it. Does not decide whether the sandbox is lost: no error text says that reliably, its Durable
 * Object does.
 */

export interface Failure {
  readonly message: string;
  /** The platform marked the error as transient. */
  readonly retryable: boolean;
}

export function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  const retryable = error instanceof Error && 'retryable' in error && error.retryable === true;
  return { message, retryable };
}

export type FailureKind =
  /** No free container now. */
  | 'busy'
  /** A deployment, an eviction, a lost connection: the same call can be retried. */
  | 'transient'
  /** Anything else. Whether a retry helps is unknown. */
  | 'failed';

/**
 * Messages of the Containers platform when it has no free instance (`@cloudflare/containers` 0.3.7 and
 * `@cloudflare/sandbox` 0.12.10).
 */
const busyTexts = [
  'there is no container instance that can be provided to this durable object',
  'there is no container instance available at this time',
  'maximum number of running container instances exceeded',
  'you are requesting too many containers per second',
];

/**
 * Messages of the SDK and the platform when the connection to the container or to its object broke, not the
 * command. An error loses its class when it leaves a Durable Object, so only its text is left.
 */
const transientTexts = [
  'reset because its code was updated',
  'this script has been upgraded',
  'network connection lost',
  'internal error while starting up durable object storage',
  'was interrupted while', // OperationInterruptedError
  'while the operation was pending', // its reasons
  'the connection was torn down before it became reachable', // ContainerUnavailableError
  'container was unavailable',
  'container is starting',
  'peer closed websocket',
  'websocket connection failed',
  'websocket upgrade failed',
  'rpc session was shut down',
  'the container is not listening',
  'container suddenly disconnected',
  'durable object is overloaded',
];

export function failureKind({ message, retryable }: Failure): FailureKind {
  const text = message.toLowerCase();
  if (busyTexts.some((known) => text.includes(known))) return 'busy';
  if (retryable || transientTexts.some((known) => text.includes(known))) return 'transient';
  return 'failed';
}

/** Text for our log and a step's error. Bounded and on one line, as the container may have written it. */
export function failureText(failure: Failure): string {
  const said = failure.message.replaceAll(/\s+/g, ' ').slice(0, 300);
  return failureKind(failure) === 'transient'
    ? `the platform interrupted the call to the sandbox; a retry can help: ${said}`
    : `the call to the sandbox failed: ${said}`;
}
