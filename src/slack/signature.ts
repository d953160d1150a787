/**
 * Verifies Slack's signature and timestamp (docs.slack.dev/authentication/verifying-requests-from-slack).
 * Bolt's check takes decoded text and timestamps in the future, with which a request could be replayed later.
 */

/** Allowed clock difference in both directions, in seconds. Slack recommends it for the past. */
const maxSkewSeconds = 300;

export type SignatureVerdict = 'signed' | 'missing' | 'stale' | 'future' | 'forged';

/** Verifies a request. Throws if the secret is empty, which `slackRoutes` reports at start. */
export async function verifySignature(request: {
  readonly secret: string;
  readonly timestamp: string | null;
  readonly signature: string | null;
  readonly body: Uint8Array;
  readonly now: Date;
}): Promise<SignatureVerdict> {
  const { secret, timestamp, signature, body, now } = request;
  if (timestamp === null || signature === null) return 'missing';
  if (!/^\d{1,12}$/.test(timestamp)) return 'forged';
  const hex = /^v0=([0-9a-f]{64})$/.exec(signature)?.[1];
  if (hex === undefined) return 'forged';
  const ahead = Number(timestamp) - now.getTime() / 1000;
  if (ahead < -maxSkewSeconds) return 'stale';
  if (ahead > maxSkewSeconds) return 'future';

  const encoder = new TextEncoder();
  const prefix = encoder.encode(`v0:${timestamp}:`);
  const signed = new Uint8Array(prefix.length + body.length);
  signed.set(prefix);
  signed.set(body, prefix.length);
  const key = await crypto.subtle.importKey(
    'raw',
    encoder.encode(secret),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['verify'],
  );
  const mac = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  // `verify` compares in constant time.
  return (await crypto.subtle.verify('HMAC', key, mac, signed)) ? 'signed' : 'forged';
}
