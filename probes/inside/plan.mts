/**
 * The protocol between the suite and the runner inside the sandbox: a plan in a file, and JSON lines back.
 * The two sides share nothing else; the runner knows neither the right results nor the secrets.
 */

/** The body of a request, made inside, so that a gzip bomb need not be written into the sandbox. */
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
  /** Closes our half of the connection. */
  | { readonly end: true };

export interface Tls {
  /** null: a handshake without SNI. */
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
  /** Bytes on a connection to the gateway. Got: the answers, and `open` or `closed`. */
  | {
      readonly kind: 'wire';
      readonly port: 80 | 443;
      readonly tls?: Tls;
      readonly steps: readonly Step[];
      /** Answers to wait for. Default 1. */
      readonly answers?: number;
      /** Waits for the peer to close the connection after the answers. */
      readonly closes?: true;
    }
  /** Got: status and code of the answer, or curl's error number. */
  | { readonly kind: 'curl'; readonly args: readonly string[]; readonly body?: Body }
  /** Got: `ok`, or the HTTP status in git's error. */
  | { readonly kind: 'git'; readonly args: readonly string[]; readonly cwd?: string }
  /** Got: the last line of its output. PROBE_ADDRESS and PROBE_PORT name its target. */
  | {
      readonly kind: 'script';
      readonly language: 'bash' | 'node' | 'python3' | 'perl';
      readonly source: string;
      readonly target?: Target;
      readonly args?: readonly string[];
      readonly control?: Control;
    };

/**
 * The same script aimed at something that it can reach. Unless it gets there, its attempt means nothing. A
 * script with a target needs none: it is aimed at the runner itself.
 */
export interface Control {
  readonly args: readonly string[];
  readonly got: string;
}

/** The folder of the programs inside a sandbox, and the one that a plan runs in there. */
export const insideFolder = '/tmp/probes';
export const insideWork = `${insideFolder}/work`;
/** In the arguments of a control, a Unix socket of the runner. */
export const ownSocket = 'own.sock';
/** An abstract one. */
export const ownAbstract = 'airlock-probe-runner';

export interface PlannedProbe {
  readonly id: string;
  /** Probes of one lane run one after the other. */
  readonly lane: string;
  readonly program: Program;
  readonly timeoutMs: number;
}

/** Redirects a probe's connections when it runs outside, to show that its program does reach a host. */
export interface Redirect {
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly tcpPort: number;
  readonly udpPort: number;
  readonly caFile: string;
}

export interface Plan {
  /** For scripts and bodies; created if missing. */
  readonly folder: string;
  readonly probes: readonly PlannedProbe[];
  readonly redirect: Redirect | null;
}

export interface RunnerLine {
  readonly id: string;
  /** false: the probe itself did not work, so its result means nothing. */
  readonly ran: boolean;
  readonly got: string;
  /** Everything received, for the search for secrets; at most `maxSeen` characters. */
  readonly seen: string;
}

export const maxSeen = 65_536;
