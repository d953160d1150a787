/**
 * Sees every call that a bot makes: finds out which case it belongs to, writes it down, and breaks the one
 * that the case wants broken.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CreatedRepository, TokenView } from '../../simulators/github/contract.ts';
import type { WireFault, WireRequest } from '../../simulators/wire/faults.ts';
import type { SandboxCall, SandboxFault } from './breakable-calls.ts';
import { callName, type CalledService } from './call-name.ts';

/** A call that a case made. Calls of one name are counted from 1. */
export interface SeenCall {
  readonly service: CalledService;
  readonly method: string;
  readonly name: string;
  readonly nth: number;
}

/** Decides on each call of a case, after it was written down. */
export type Breaker = (call: SeenCall) => WireFault | null;

interface Party {
  readonly repository: CreatedRepository;
  /** How its Slack calls and its sandbox are known: ids, once they exist. */
  readonly marks: Set<string>;
  /** All of them are there. */
  isMarked: boolean;
  readonly calls: SeenCall[];
  readonly breaker: Breaker | null;
}

export interface Exchange {
  /** From now on the repository's calls are its own, and `breaker` decides on them. */
  join(repository: CreatedRepository, breaker?: Breaker): void;
  /** Calls that name one of these ids belong to the repository: a person, a thread, a sandbox. */
  mark(repository: CreatedRepository, ...ids: readonly string[]): void;
  /** The same for the last ids of its task: no call has to wait for more. */
  markLast(repository: CreatedRepository, ...ids: readonly string[]): void;
  callsOf(repository: CreatedRepository): readonly SeenCall[];
  /** As a `Wire` for each service. */
  readonly decide: (service: CalledService, request: WireRequest) => Promise<WireFault | null>;
  readonly decideOnSandboxCall: (call: SandboxCall) => Promise<SandboxFault | null>;
}

/** Until a call's owner is known: a task can begin before its ids are marked. Without such a task, 0. */
const patienceMs = 1_000;
/** How long a call of no case takes. Without it a short step such as provision-1 has no middle to kill in. */
const unownedMs = 100;

export function createExchange(issuedTokens: () => readonly TokenView[]): Exchange {
  const parties = new Map<number, Party>();

  const ownerOf = (service: CalledService, { path, authorization }: WireRequest, body: string) =>
    [...parties.values()].toReversed().find(({ repository, marks }) => {
      if (service === 'github') return isAbout(repository, path, body, authorization);
      return [...marks].some((mark) => path.includes(mark) || body.includes(mark)) || names(repository, body);
    });

  function isAbout({ owner, name, id }: CreatedRepository, path: string, body: string, by: string | null) {
    if (path.endsWith('/access_tokens')) return body.includes(`[${id}]`) || body.includes(`"${name}"`);
    if (path.includes('/installation/')) {
      const token = issuedTokens().find((issued) => by?.endsWith(issued.token) === true);
      return token?.repositories.includes(`${owner}/${name}`) === true;
    }
    return new RegExp(`/${owner}/${name}(?:\\.git)?(?:[/?]|$)|/repositories/${id}(?:[/?]|$)`).test(path);
  }

  async function partyOf(service: CalledService, request: WireRequest, body: string) {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      const found = ownerOf(service, request, body);
      if (found !== undefined || service === 'github') return found;
      const isAllMarked = [...parties.values()].every(({ isMarked }) => isMarked);
      if (isAllMarked || Date.now() > deadline) return undefined;
      await sleep(20);
    }
  }

  const partyFor = (repository: CreatedRepository): Party => {
    const party = parties.get(repository.id);
    if (party === undefined) throw new Error(`${repository.name} has not joined`);
    return party;
  };

  const mark = (repository: CreatedRepository, ids: readonly string[]): Party => {
    const party = partyFor(repository);
    for (const id of ids) party.marks.add(id);
    return party;
  };

  async function decide(service: CalledService, request: WireRequest): Promise<WireFault | null> {
    const body = readsBody(service, request) ? await request.body() : '';
    const party = await partyOf(service, request, body);
    if (party === undefined) {
      if (service !== 'github') await sleep(unownedMs);
      return null;
    }
    const { method, path } = request;
    const name = callName({ service, method, path, body });
    const nth = party.calls.filter((call) => call.name === name).length + 1;
    const call = { service, method, name, nth };
    party.calls.push(call);
    return party.breaker?.(call) ?? null;
  }

  return {
    join: (repository, breaker) =>
      void parties.set(repository.id, {
        repository,
        marks: new Set(),
        isMarked: false,
        calls: [],
        breaker: breaker ?? null,
      }),
    mark: (repository, ...ids) => void mark(repository, ids),
    markLast: (repository, ...ids) => {
      mark(repository, ids).isMarked = true;
    },
    callsOf: (repository) => [...partyFor(repository).calls],
    decide,
    decideOnSandboxCall: async ({ method, path, body }) => {
      const fault = await decide('sandbox-host', {
        method,
        path,
        authorization: null,
        body: async () => body,
      });
      if (fault?.kind !== 'hold') return fault;
      await fault.until;
      return null;
    },
  };
}

/** GitHub's addresses say whose they are, except where a token is made. */
const readsBody = (service: CalledService, { path }: WireRequest): boolean =>
  service !== 'github' || path.endsWith('/access_tokens');

const names = ({ owner, name }: CreatedRepository, body: string): boolean =>
  new RegExp(`\\b${owner}(?:/|%2F)${name}\\b`).test(body);
