/**
 * Runs inside a new sandbox before anything untrusted. Proves that the sandbox is sealed and that requests
 * reach this task's own egress handler. Prints one JSON line; exits with 0 only if every probe succeeded.
 *
 * Usage: node canary.ts NONCE
 */
import { request } from 'node:http';
import { connect } from 'node:net';

/** Time limit of a probe. A time-out counts as failed, because it is no refusal. */
const probeMs = 4_000;
/**
 * How long a closed port has to stay silent. The probed address is a public resolver, which answers within
 * milliseconds.
 */
const silenceMs = 1_500;
const host = 'canary.airlock.invalid';
const nonce = process.argv[2] ?? '';

interface Probe {
  readonly name: string;
  readonly ok: boolean;
  readonly got: string;
}

const probes = await Promise.all([
  http(
    'the handler echoes this task’s nonce',
    `https://${host}/${nonce}`,
    (status, body) => status === 200 && body === nonce,
  ),
  http('a forbidden host is refused', `https://forbidden.${host}/`, isRefusal),
  http('a forbidden host is refused without TLS', `http://forbidden.${host}/`, isRefusal),
  http('a forbidden path is refused', `https://${host}/forbidden`, isRefusal),
  // TEST-NET-1 (RFC 5737) is unassigned; the metadata address exists in every cloud. Where ports 80 and 443
  // are intercepted for every address, the handler has to answer. The host name in the request keeps the
  // probe out of the task's receipt.
  addressed('a numeric address reaches at most the handler', '192.0.2.1'),
  addressed('the metadata address reaches at most the handler', '169.254.169.254'),
  closed('another port is closed', '1.1.1.1', 853),
]);
process.stdout.write(`${JSON.stringify({ probes })}\n`);
process.exit(probes.every((probe) => probe.ok) && nonce !== '' ? 0 : 1);

function isRefusal(status: number, body: string): boolean {
  return status === 403 && body.includes('airlock_egress');
}

async function http(
  name: string,
  url: string,
  expected: (status: number, body: string) => boolean,
): Promise<Probe> {
  try {
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(probeMs) });
    const body = (await response.text()).slice(0, 1000);
    return { name, ok: expected(response.status, body), got: `${response.status} ${body}`.slice(0, 300) };
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return { name, ok: false, got: String(cause).slice(0, 300) };
  }
}

async function addressed(name: string, address: string): Promise<Probe> {
  return await new Promise((resolve) => {
    const end = (ok: boolean, got: string) => resolve({ name, ok, got: got.slice(0, 300) });
    const sent = request({ host: address, headers: { host: `forbidden.${host}` }, timeout: probeMs });
    sent.once('response', (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body = (body + chunk.toString()).slice(0, 1000)));
      response.once('end', () =>
        end(isRefusal(response.statusCode ?? 0, body), `${response.statusCode} ${body}`),
      );
    });
    // Silence proves nothing here: a sandbox without a route fails at once.
    sent.once('timeout', () => {
      end(false, 'no answer');
      sent.destroy();
    });
    sent.once('error', (error) => end('syscall' in error && error.syscall === 'connect', error.message));
    sent.end();
  });
}

async function closed(name: string, address: string, port: number): Promise<Probe> {
  return await new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const end = (ok: boolean, got: string) => {
      socket.destroy();
      resolve({ name, ok, got: got.slice(0, 300) });
    };
    // Silence is proof here: an open connection would be accepted within milliseconds.
    socket.setTimeout(silenceMs, () => end(true, 'no answer'));
    socket.once('connect', () => end(false, 'connected'));
    socket.once('error', (error) => end(true, error.message));
  });
}
