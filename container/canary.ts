/**
 * Runs inside a new sandbox, before anything untrusted: `node canary.ts NONCE [PROBE…]`. Proves that it is
 * sealed and that requests reach this task's handler. Prints one JSON line; exits with 0 only if every probe
 * got what a sealed sandbox gets.
 */
import {
  canaryHost as host,
  isRefusal,
  probeAddress,
  probeClosedPort,
  probeUrl,
  type ProbeFinding,
} from './canary-probes.ts';
import { describePlatform } from './platform.ts';
import { runMain } from './run-main.ts';

const [nonce = '', ...wanted] = process.argv.slice(2);

const probes: Readonly<Record<string, () => Promise<ProbeFinding>>> = {
  'the handler echoes this task’s nonce': () =>
    probeUrl(`https://${host}/${nonce}`, (status, body) => status === 200 && body === nonce),
  'a forbidden host is refused': () => probeUrl(`https://forbidden.${host}/`, isRefusal),
  'a forbidden host is refused without TLS': () => probeUrl(`http://forbidden.${host}/`, isRefusal),
  'a forbidden path is refused': () => probeUrl(`https://${host}/forbidden`, isRefusal),
  // TEST-NET-1 (RFC 5737) is unassigned; the metadata address exists in every cloud. Where ports 80 and 443
  // are intercepted for every address, the handler has to answer. The host name in the request keeps the
  // probe out of the task's receipt.
  'a numeric address reaches at most the handler': () => probeAddress('192.0.2.1'),
  'the metadata address reaches at most the handler': () => probeAddress('169.254.169.254'),
  'another port is closed': () => probeClosedPort('1.1.1.1', 853),
};

async function main(): Promise<number> {
  const selected = Object.entries(probes).filter(([name]) => wanted.length === 0 || wanted.includes(name));
  const [platform, ...findings] = await Promise.all([
    // What it finds ends no task, and neither does its failure.
    describePlatform().catch(() => []),
    ...selected.map(async ([name, run]) => ({ name, ...(await run()) })),
  ]);
  process.stdout.write(`${JSON.stringify({ probes: findings, platform })}\n`);
  const isComplete = nonce !== '' && findings.length >= Math.max(1, wanted.length);
  return isComplete && findings.every(({ result }) => result === 'expected') ? 0 : 1;
}

runMain(main);
