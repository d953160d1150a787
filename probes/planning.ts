/**
 * Plans the probes of a group for the runner inside, each with its own marker, so that a request that arrives
 * names its probe.
 */
import type { PlannedProbe, Program } from './inside/plan.mts';
import { keyOf } from './result.ts';
import type { Group, Place, Probe } from './probe.ts';

export interface Planned {
  readonly group: string;
  /** `group/id`: unique in the suite. */
  readonly key: string;
  readonly probe: Probe;
  readonly marker: string;
  readonly inside: PlannedProbe;
}

const defaultTimeoutMs = 40_000;
let next = 1;

export function planFor(group: Group, place: Place): readonly Planned[] {
  return group.probes(place).map((probe) => {
    const key = keyOf(group.name, probe.id);
    // The same length, so that every Content-Length stays right.
    const marker = place.marker.replace('00000', String(next++).padStart(5, '0'));
    return {
      group: group.name,
      key,
      probe,
      marker,
      inside: {
        id: key,
        lane: probe.lane ?? group.name,
        program: marked(probe.program, place.marker, marker),
        timeoutMs: probe.timeoutMs ?? defaultTimeoutMs,
      },
    };
  });
}

function marked(program: Program, from: string, to: string): Program {
  const replace = (value: unknown): unknown => {
    if (typeof value === 'string') return value.replaceAll(from, to);
    if (Array.isArray(value)) return value.map(replace);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replace(inner)]));
  };
  const result: unknown = replace(program);
  if (!isProgram(result)) throw new Error('a program stays one');
  return result;
}

const isProgram = (value: unknown): value is Program =>
  typeof value === 'object' && value !== null && 'kind' in value;
