/**
 * What the runner inside the sandbox is told, and what it tells: data that goes through a file and comes back as JSON lines. Nothing
 * else is shared between the two sides; the runner knows neither what is expected nor what is secret.
 */

/** The body of a request; made inside, so that a bomb or a giant need not be carried in. */
export type Body =
  | { readonly text: string }
  | { readonly base64: string }
  | { readonly repeat: string; readonly times: number; readonly before?: string; readonly after?: string }
  | { readonly zeros: number }
  | { readonly gzip: Body };

export type Step =
  /** One character is one byte. */
  | { readonly send: string }
  | { readonly sendRepeated: string; readonly times: number }
  | { readonly waitMs: number }
  /** Ends our half of the connection. */
  | { readonly end: true };

export interface Tls {
  /** null: the handshake names nobody. */
  readonly servername: string | null;
  readonly alpn?: readonly string[];
  readonly maxVersion?: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
}

export interface Target {
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
}

export type Program =
  /** Bytes on a connection to the gateway; got: the answers, and whether the connection was closed after them. */
  | {
      readonly kind: 'wire';
      readonly port: 80 | 443;
      readonly tls?: Tls;
      readonly steps: readonly Step[];
      /** How many answers to wait for. Default 1. */
      readonly answers?: number;
    }
  /** got: status and code of the answer, or curl's own error number. */
  | { readonly kind: 'curl'; readonly args: readonly string[]; readonly body?: Body }
  /** got: `ok`, or the status that git complains about. */
  | { readonly kind: 'git'; readonly args: readonly string[]; readonly cwd?: string }
  /** got: the last line of its output. It learns its target from PROBE_ADDRESS and PROBE_PORT. */
  | {
      readonly kind: 'script';
      readonly language: 'bash' | 'node' | 'python3' | 'perl';
      readonly source: string;
      readonly target?: Target;
      readonly args?: readonly string[];
    };

export interface PlannedProbe {
  readonly id: string;
  /** Probes of one lane run one after the other. */
  readonly lane: string;
  readonly program: Program;
  readonly timeoutMs: number;
}

/** Where a probe's connections go instead, when the same programs are run outside to show that they reach somebody. */
export interface Redirect {
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly tcpPort: number;
  readonly udpPort: number;
  readonly caFile: string;
}

export interface Plan {
  /** Made if it is missing; scripts and bodies are written there. */
  readonly folder: string;
  readonly probes: readonly PlannedProbe[];
  readonly redirect: Redirect | null;
}

export interface RunnerLine {
  readonly id: string;
  /** false: the probe itself did not work, so what it got means nothing. */
  readonly ran: boolean;
  readonly got: string;
  /** All that came back, for the host to look for secrets in; at most `maxSeen` characters. */
  readonly seen: string;
}

export const maxSeen = 65_536;
