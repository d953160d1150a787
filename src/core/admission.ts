/**
 * Decides who gets the next free slot. There are `total` slots, and one repository or one person may hold
 * only some of them. Pure: the queue is plain data, which `tasks/queue/slots.ts` keeps.
 *
 * - **Repositories take turns**, in a circle: a repository that begins to wait joins at the end, and one that
 *   got a slot goes back there. So a repository with a single task waits for at most one task of each other
 *   repository, however many those have. A repository at its limit keeps its place in front.
 * - **Within a repository the oldest task goes first**, among those whose requester may have another slot. So
 *   a person who asked for fifty tasks delays nobody else once they are at their limit.
 * - **Other tasks of the same requester do not pass a task for ever.** Turns and the ends of a person's tasks
 *   could coincide so that the person's slot always comes free at another repository's turn. A task that was
 *   passed `patience` times has the requester's last slot reserved for it.
 *
 * Nobody starves as long as tasks end: the oldest admissible task of a repository waits for the turns of the
 * repositories before it, and each turn is one end of some task. How long a task may take is not decided
 * here.
 */

export interface SlotLimits {
  readonly total: number;
  readonly perRepository: number;
  readonly perRequester: number;
}

export interface SlotClaim {
  readonly taskId: string;
  /** A name that is the same for the same repository, however people write it. */
  readonly repository: string;
  /** Null: nobody in particular (the API's token belongs to the operator). */
  readonly requester: string | null;
}

export interface WaitingClaim extends SlotClaim {
  /** Younger tasks of the requester admitted elsewhere since the requester's last admission here. */
  readonly passed: number;
}

export interface SlotQueue {
  readonly held: readonly SlotClaim[];
  /** Oldest first. */
  readonly waiting: readonly WaitingClaim[];
  /** Repositories with waiting tasks, in the order of their turns. */
  readonly turns: readonly string[];
}

export const emptyQueue: SlotQueue = { held: [], waiting: [], turns: [] };

/** Admissions of a requester elsewhere before their oldest task here gets the last slot reserved. */
export const patience = 10;

/** Adds the claim at the end of the queue. Changes nothing for a claim that is already in it. */
export function join(queue: SlotQueue, claim: SlotClaim): SlotQueue {
  const { held, waiting, turns } = queue;
  if ([...held, ...waiting].some(({ taskId }) => taskId === claim.taskId)) return queue;
  const { repository } = claim;
  return {
    held,
    waiting: [...waiting, { ...claim, passed: 0 }],
    turns: turns.includes(repository) ? turns : [...turns, repository],
  };
}

/** Removes the task, whether it waited or held a slot. */
export function leave({ held, waiting, turns }: SlotQueue, taskId: string): SlotQueue {
  const left = waiting.filter((claim) => claim.taskId !== taskId);
  return {
    held: held.filter((claim) => claim.taskId !== taskId),
    waiting: left,
    turns: turns.filter((name) => left.some(({ repository }) => repository === name)),
  };
}

/** Returns every claim that may be admitted now, in order, and the queue after that. */
export function admit(
  queue: SlotQueue,
  limits: SlotLimits,
): { readonly admitted: readonly SlotClaim[]; readonly queue: SlotQueue } {
  const admitted: SlotClaim[] = [];
  let rest = queue;
  for (let next = nextAdmission(rest, limits); next !== null; next = nextAdmission(rest, limits)) {
    admitted.push(next);
    rest = serve(rest, next);
  }
  return { admitted, queue: rest };
}

/** Null: nobody waits, or nobody who waits may have a slot now. */
function nextAdmission(queue: SlotQueue, limits: SlotLimits): WaitingClaim | null {
  const { held, waiting, turns } = queue;
  if (held.length >= limits.total || waiting.length === 0) return null;
  const ofRepository = countBy(held, ({ repository }) => repository);
  const ofRequester = countBy(held, ({ requester }) => requester);
  const keptFor = overdueOf(waiting);
  const mayHave = (claim: WaitingClaim): boolean => {
    const { requester } = claim;
    if (requester === null) return true;
    const overdue = keptFor.get(requester);
    // The last slot is reserved for the task that was passed too often; the others are free for all tasks of
    // the person.
    const kept = overdue === undefined || overdue === claim ? 0 : 1;
    return (ofRequester.get(requester) ?? 0) + kept < limits.perRequester;
  };
  // The oldest admissible task of each repository, in one pass.
  const firsts = new Map<string, WaitingClaim>();
  for (const claim of waiting)
    if (!firsts.has(claim.repository) && mayHave(claim)) firsts.set(claim.repository, claim);
  for (const repository of turns) {
    const first = firsts.get(repository);
    if (first !== undefined && (ofRepository.get(repository) ?? 0) < limits.perRepository) return first;
  }
  return null;
}

/** Returns the queue after this claim was admitted. */
function serve(queue: SlotQueue, { taskId, repository, requester }: WaitingClaim): SlotQueue {
  const place = queue.waiting.findIndex((claim) => claim.taskId === taskId);
  const waiting = queue.waiting
    .map((claim, index) => {
      if (requester === null || claim.requester !== requester) return claim;
      if (claim.repository === repository) return { ...claim, passed: 0 };
      return index < place ? { ...claim, passed: claim.passed + 1 } : claim;
    })
    .filter((claim) => claim.taskId !== taskId);
  const others = queue.turns.filter((name) => name !== repository);
  return {
    held: [...queue.held, { taskId, repository, requester }],
    waiting,
    turns: waiting.some((claim) => claim.repository === repository) ? [...others, repository] : others,
  };
}

/** The waiting tasks in the order in which slots reach them if only turns counted: a guess, no promise. */
export function queueOrder({ waiting, turns }: SlotQueue): readonly string[] {
  const lines = new Map<string, string[]>(turns.map((repository) => [repository, []]));
  for (const { repository, taskId } of waiting) lines.get(repository)?.push(taskId);
  const order: string[] = [];
  for (let round = 0; order.length < waiting.length; round += 1) {
    const before = order.length;
    for (const line of lines.values()) {
      const taskId = line[round];
      if (taskId !== undefined) order.push(taskId);
    }
    if (order.length === before) break;
  }
  return order;
}

/** True near the front and at each quarter further back: an edit per step would cost n² / 2 edits. */
export function isWorthTelling(told: number | null, place: number): boolean {
  if (told === null) return true;
  return Math.abs(told - place) >= Math.max(1, Math.floor(Math.min(told, place) / 4));
}

/** For each requester the oldest task that was passed too often. */
function overdueOf(waiting: readonly WaitingClaim[]): ReadonlyMap<string, WaitingClaim> {
  const overdue = new Map<string, WaitingClaim>();
  for (const claim of waiting)
    if (claim.requester !== null && claim.passed >= patience && !overdue.has(claim.requester))
      overdue.set(claim.requester, claim);
  return overdue;
}

function countBy<T, Key>(items: readonly T[], keyOf: (item: T) => Key): ReadonlyMap<Key, number> {
  const counts = new Map<Key, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}
