/**
 * Runs overlapping attempts in every order of their calls to the model of GitHub, with crashes and with what
 * people do in between. An attempt is a function of the answers it got, so each of its states is computed
 * once, by replay, and the orders are explored on plain data. Equal states are explored once.
 *
 * A call whose answer no other call can change, and that changes no other's answer, is answered at once: it
 * reads an object by its id, or writes an object that nobody else knows.
 */
import { answer, type Answer, type Call, type Model } from './github-model.ts';

export type Start = (fetch_: typeof fetch) => Promise<unknown>;
export type End = { readonly value: unknown } | { readonly error: unknown };

interface Given {
  readonly call: string;
  readonly answer: Answer;
}
/** A state of an attempt. */
interface Place {
  readonly name: string;
  readonly given: readonly Given[];
  /** The calls that wait for their answers, by name. */
  readonly held: ReadonlyMap<string, Call>;
  /** null: it runs. */
  readonly end: End | null;
}

const repository = '/repos/acme/split/';
const commuting =
  /^(?:GET git\/(?:commits|trees)\/|GET commits$|GET compare\/|POST git\/(?:blobs|trees|commits)$)/;

function callOf(by: string, input: RequestInfo | URL, init: RequestInit | undefined): Call {
  const url = new URL(input instanceof Request ? input.url : input);
  const path = decodeURIComponent(url.pathname);
  const start = path.indexOf(repository);
  if (start < 0) throw new Error(`a call outside of the repository: ${path}`);
  return {
    by,
    method: init?.method ?? 'GET',
    path: path.slice(start + repository.length),
    query: Object.fromEntries(url.searchParams),
    body: typeof init?.body === 'string' ? JSON.parse(init.body) : null,
  };
}

/** Long texts by number. */
export class Names {
  private readonly numbers = new Map<string, number>();
  private readonly known = new WeakMap<object, number>();

  /** Objects are never changed. */
  of(value: object | string): number {
    if (typeof value === 'string') return this.numberOf(value);
    const known = this.known.get(value) ?? this.numberOf(JSON.stringify(value));
    this.known.set(value, known);
    return known;
  }

  private numberOf(text: string): number {
    const known = this.numbers.get(text);
    if (known !== undefined) return known;
    this.numbers.set(text, this.numbers.size);
    return this.numbers.size - 1;
  }
}

/** All that an attempt does between two answers happens in microtasks; one turn more is a margin. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** One execution of an attempt, whose calls wait until they are given an answer. */
export class Run {
  end: End | null = null;
  private readonly waiting = new Map<string, { call: Call; answered: (response: Response) => void }>();
  private readonly made = new Map<number, number>();

  constructor(by: string, start: Start, names: Names) {
    const holding: typeof fetch = async (input, init) =>
      await new Promise((answered) => {
        const call = callOf(by, input, init);
        const number = names.of(call);
        const nth = (this.made.get(number) ?? 0) + 1;
        this.made.set(number, nth);
        this.waiting.set(`${number}.${nth}`, { call, answered });
      });
    void start(holding).then(
      (value) => (this.end = { value }),
      (error: unknown) => (this.end = { error }),
    );
  }

  get held(): ReadonlyMap<string, Call> {
    return new Map([...this.waiting].map(([name, { call }]) => [name, call]));
  }

  async give({ call, answer: to }: Given): Promise<void> {
    const one = this.waiting.get(call);
    if (one === undefined) throw new Error('an attempt does not repeat itself');
    this.waiting.delete(call);
    one.answered(responseOf(to));
    await settled();
  }
}

class Attempt {
  readonly name: string;
  readonly places = new Map<string, Place>();
  /** Executions that are at a place and have not been led on. */
  private readonly live = new Map<Place, Run>();
  private readonly start: Start;
  private readonly names: Names;
  constructor(name: string, start: Start, names: Names) {
    this.name = name;
    this.start = start;
    this.names = names;
  }

  async first(): Promise<Place> {
    return this.places.get('') ?? this.at('', [], await this.replay([]));
  }

  /** The order of answers to calls that are made at once does not matter. */
  async next(place: Place, given: Given): Promise<Place> {
    const all = [...place.given, given];
    const name = all
      .map((one) => `${one.call}=${this.names.of(one.answer)}`)
      .toSorted()
      .join(' ');
    const known = this.places.get(name);
    if (known !== undefined) return known;
    const run = this.live.get(place) ?? (await this.replay(place.given));
    this.live.delete(place);
    await run.give(given);
    return this.at(name, all, run);
  }

  private at(name: string, given: readonly Given[], run: Run): Place {
    const place = { name: `${this.name}${this.names.of(name)}`, given, held: run.held, end: run.end };
    this.places.set(name, place);
    this.live.set(place, run);
    return place;
  }

  private async replay(given: readonly Given[]): Promise<Run> {
    const run = new Run(this.name, this.start, this.names);
    await settled();
    for (const one of given) await run.give(one);
    return run;
  }
}

function responseOf({ status, body }: Answer): Response {
  const headers = { 'content-type': 'application/json; charset=utf-8' };
  return new Response(body === null ? null : JSON.stringify(body), { status, headers });
}

export interface Scene {
  readonly model: Model;
  /** Overlap from the start. */
  readonly attempts: Readonly<Record<string, Start>>;
  /** Starts once another has ended or crashed, and may overlap with the rest. */
  readonly later?: Start;
  /** What people do, once each, at any time; null: not possible now. */
  readonly events?: Readonly<Record<string, (model: Model) => Model | null>>;
  /** How many of the attempts may crash, each after any of its calls. */
  readonly crashes: number;
  /** Also explores the orders of calls that commute. */
  readonly everyCall?: boolean;
  /** Throws what is wrong once all attempts have ended. */
  readonly check: (ended: Ended) => void;
}

export interface Ended {
  readonly before: Model;
  /** Once one more attempt has run, alone: `retried`. */
  readonly after: Model;
  readonly ends: readonly End[];
  readonly retried: End;
  readonly crashed: boolean;
}

interface World {
  readonly model: Model;
  /** By attempt; null: not started. */
  readonly places: Readonly<Record<string, Place | 'crashed' | null>>;
  readonly events: readonly string[];
  readonly crashes: number;
}

export interface Explored {
  readonly orders: number;
  readonly states: number;
  /** How many states of attempts had to be computed by running them. */
  readonly replays: number;
}

export async function explore(scene: Scene): Promise<Explored> {
  const names = new Names();
  const starts = { ...scene.attempts, ...(scene.later === undefined ? {} : { later: scene.later }) };
  const attempts = Object.fromEntries(
    Object.entries(starts).map(([name, start]) => [name, new Attempt(name, start, names)]),
  );
  const [first] = Object.values(scene.attempts);
  if (first === undefined) throw new Error('a scene without attempts');
  const retry = new Attempt('retry', first, names);
  const seen = new Map<string, number>();
  const path: string[] = [];

  const attempt = (name: string): Attempt => attempts[name] ?? retry;
  const answered = async (of: Attempt, model: Model, place: Place, [held, call]: readonly [string, Call]) => {
    const [next, to] = answer(model, call);
    return { model: next, place: await of.next(place, { call: held, answer: to }) };
  };

  const running = ({ places }: World): readonly (readonly [string, Place])[] =>
    Object.entries(places).flatMap(([name, place]) =>
      place !== null && place !== 'crashed' && place.end === null ? [[name, place] as const] : [],
    );

  async function finish({ model, places }: World): Promise<void> {
    const ends = Object.values(places).flatMap((place) =>
      place === null || place === 'crashed' || place.end === null ? [] : [place.end],
    );
    let at = { model, place: await retry.first() };
    while (at.place.end === null) {
      const [held] = at.place.held;
      if (held === undefined) throw new Error('an attempt waits for nothing');
      at = await answered(retry, at.model, at.place, held);
    }
    const crashed = ends.length < Object.keys(places).length;
    scene.check({ before: model, after: at.model, ends, retried: at.place.end, crashed });
  }

  async function choices(world: World): Promise<readonly (readonly [string, () => Promise<World>])[]> {
    const found: (readonly [string, () => Promise<World>])[] = [];
    for (const [name, place] of running(world)) {
      for (const held of place.held) {
        const what = `${held[1].method} ${held[1].path}`;
        const next = async (): Promise<World> => {
          const to = await answered(attempt(name), world.model, place, held);
          return { ...world, model: to.model, places: { ...world.places, [name]: to.place } };
        };
        const choice = [`${name}: ${what}`, next] as const;
        if (scene.everyCall !== true && commuting.test(what)) return [choice];
        found.push(choice);
      }
    }
    if (world.crashes > 0)
      for (const [name] of running(world)) {
        const places = { ...world.places, [name]: 'crashed' } as const;
        found.push([`${name} crashes`, async () => ({ ...world, places, crashes: world.crashes - 1 })]);
      }
    for (const name of world.events) {
      const model = scene.events?.[name]?.(world.model) ?? null;
      const events = world.events.filter((one) => one !== name);
      if (model !== null) found.push([name, async () => ({ ...world, model, events })]);
    }
    const { later } = world.places;
    const others = Object.keys(world.places).length - (later === undefined ? 0 : 1);
    if (later === null && running(world).length < others) {
      const place = await attempt('later').first();
      found.push(['later starts', async () => ({ ...world, places: { ...world.places, later: place } })]);
    }
    return found;
  }

  async function ordersFrom(world: World): Promise<number> {
    const { refs, pulls, comments } = world.model;
    const at = Object.values(world.places).map((place) => (typeof place === 'string' ? place : place?.name));
    const key = JSON.stringify([
      [refs, pulls, comments].map((part) => names.of(part)),
      at,
      world.events,
      world.crashes,
    ]);
    const known = seen.get(key);
    if (known !== undefined) return known;
    let orders = 0;
    for (const [what, next] of await choices(world)) {
      path.push(what);
      orders += await ordersFrom(await next());
      path.pop();
    }
    // An event may never happen, so that a world without running attempts is an end in any case.
    if (running(world).length === 0 && world.places['later'] !== null) {
      try {
        await finish(world);
      } catch (cause) {
        throw new Error(`after this order:\n${path.join('\n')}`, { cause });
      }
      orders += 1;
    }
    seen.set(key, orders);
    return orders;
  }

  const places: Record<string, Place | null> = scene.later === undefined ? {} : { later: null };
  for (const name of Object.keys(scene.attempts)) places[name] = await attempt(name).first();
  const events = Object.keys(scene.events ?? {});
  const orders = await ordersFrom({ model: scene.model, places, events, crashes: scene.crashes });
  const replays = [...Object.values(attempts), retry].reduce((sum, { places: all }) => sum + all.size, 0);
  return { orders, states: seen.size, replays };
}
