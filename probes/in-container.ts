/**
 * What the probes of a sandbox on this machine get in a container: most get the same. The tables name those
 * that get something else, and those that a fake engine cannot show.
 */
import type { Planned } from './planning.ts';
import type { ProbedSandbox } from './probe.ts';

/** `only`: with that class; the others get what the probe expects. */
type Row<What> = readonly [keys: RegExp, what: What, only?: ProbedSandbox];

const otherwise: readonly Row<readonly string[]>[] = [
  // Whatever the address, port 80 leads to the handler.
  [/^network\/metadata-curl$/, ['403 host.not-granted']],
  // Accepted and dropped.
  [/^other-doors\/(?:ftp|smtp)$/, ['curl error 56']],
  // Likewise: git ends without a word if it notices while it writes.
  [/^github\/git-protocol$/, ['exit 128: fatal: read error: Connection reset by peer', 'exit 1: ']],
  // A reset can overtake the answer.
  [/^http-framing\/a-header-of-300-kb-without-an-end$/, ['431, open', '431, closed', 'closed']],
  // workerd sends no body to HEAD.
  [/^github-paths\/head-of-the-refs$/, ['403']],
  // A handshake without a name.
  [/^other-doors\/address-name$/, ['curl error 52', 'curl error 56', 'curl error 35']],
  // The authority is elsewhere: `container/programs`.
  [/^host\/write-ca$/, ['ENOENT']],
];

const notShown: readonly Row<string>[] = [
  [
    /^(?:github\/ssh|network\/(?:metadata|container-metadata|private-\d+|python-public|host-address|dns-tcp|dns-tcp-public|dot|doh-address)|cloudflare-example\/(?:bash|node)-tcp-\d+)$/,
    'containers accept every connection, and drop those that are not intercepted: the canary and raw-egress.test.ts show that nothing answers',
  ],
  [
    /^(?:network\/udp-(?:dns|quic|ntp|broadcast|multicast|ipv6)|cloudflare-example\/dns-server)$/,
    'datagrams: only the platform’s own network shows where they go (security.md, what remains)',
  ],
  [
    /^(?:network\/socket-|network\/sctp|host\/(?:seccomp|user-namespace|other-namespaces|personality)$|host\/call-(?:add_key|request_key|keyctl|unshare|perf_event_open|bpf|userfaultfd|io_uring_setup|memfd_secret)$)/,
    'a container on Cloudflare is a machine with a kernel of its own, and no filter of ours: here it would be this machine’s kernel',
  ],
  [
    /^host\/(?:any-socket|checkout|checkout-package)$/,
    'the fake container has this machine’s programs, this checkout and sockets of its own: container/socket tries each',
  ],
  [
    /^container\/setuid-programs$/,
    'the fake container is made by bubblewrap, which mounts without set-user-id bits: a real engine shows it',
  ],
  [
    /^host\/no-new-privileges$/,
    'bubblewrap starts the stand-in for the SDK’s server without the right to gain privileges',
    'sdk',
  ],
  [
    /^(?:crossing|exhaustion)\//,
    'disks, memory and processes are limited by the instance’s type; descriptors and the control channel are the local sandbox’s',
  ],
];

const rowFor = <What>(rows: readonly Row<What>[], key: string, sandbox: ProbedSandbox): What | null =>
  rows.find(([keys, , only]) => keys.test(key) && (only ?? sandbox) === sandbox)?.[1] ?? null;

/** Why a fake engine cannot show what this probe gets in a container; null if it can. */
export const whyNotShown = (key: string, sandbox: ProbedSandbox): string | null =>
  rowFor(notShown, key, sandbox);

export function inContainer(planned: Planned, sandbox: ProbedSandbox): Planned {
  const expected = rowFor(otherwise, planned.key, sandbox);
  return expected === null ? planned : { ...planned, probe: { ...planned.probe, expected } };
}
