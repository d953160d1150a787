/** How the probes of HTTP itself are written: bytes for a connection, and the answers that they have to get. */
import type { Step, Tls } from '../inside/plan.mts';
import { refs, type Probe } from '../probe.ts';

export const closed = (...answers: readonly string[]): readonly string[] => [
  [...answers, 'closed'].join(', '),
];
export const malformed = closed('400 malformed');
/** Within TLS for github.com, unless told otherwise. */
export function wire(
  id: string,
  attack: string,
  steps: string | readonly Step[],
  expected: readonly string[],
  more: { port?: 80 | 443; tls?: Tls; answers?: number } & Partial<Probe> = {},
): Probe {
  const { port = 443, tls = { servername: 'github.com' }, answers, ...rest } = more;
  return {
    id,
    attack,
    expected,
    program: {
      kind: 'wire',
      port,
      ...(port === 443 ? { tls } : {}),
      steps: typeof steps === 'string' ? [{ send: steps }] : steps,
      ...(answers === undefined ? {} : { answers }),
    },
    ...rest,
  };
}

export const request = (...lines: readonly string[]): string => `${lines.join('\r\n')}\r\n\r\n`;
export const plain = { port: 80 } as const;
/** An allowed request; the same connection is kept. */
export const fetchRefs = (...more: readonly string[]): string =>
  request(`GET ${refs} HTTP/1.1`, 'Host: github.com', ...more);
