/** The reader of deliveries on a log that behaves as GitHub's, across restarts. */
import { describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../../test/memory/memory-storage.ts';
import type { Delivery, DeliveryAttempt, DeliveryPage } from '../../core/ports/delivery-log.ts';
import { DeliveriesBase, type DeliveriesDeps } from './deliveries.ts';

const hour = 3_600_000;
const start = Date.parse('2026-11-30T10:00:00Z');

class Reader extends DeliveriesBase<DeliveriesDeps> {
  protected override deps(): DeliveriesDeps {
    return this.env;
  }
}

interface World {
  readonly storage: MemoryStorage;
  readonly handed: string[];
  /** Pages of the log that were read in full. */
  pages: number;
  now: number;
  webhooksArrive: boolean;
  perHour: number | null;
  /** The status of the intake's next answers; 202 after them. */
  readonly answers: number[];
  /** Calls to GitHub that fail before the next ones succeed. */
  outages: number;
  /** `lateMs`: how long GitHub took to list it. */
  send(guid: string, status?: number, lateMs?: number): void;
  /** GitHub forgets what it sent. */
  forget(guid: string): void;
  /** Runs the alarm in a new object on the same storage. */
  look(): Promise<void>;
  wake(): Promise<void>;
  wakeAndLook(): Promise<void>;
}

function world(pageSize = 100): World {
  const storage = new MemoryStorage();
  const attempts: DeliveryAttempt[] = [];
  const gone = new Set<string>();
  const refuse = (): void => {
    if (self.outages === 0) return;
    self.outages -= 1;
    throw new Error('GitHub cannot be reached');
  };
  const deps = (): DeliveriesDeps => ({
    github: {
      page: async ({ cursor, etag }): Promise<DeliveryPage | 'unchanged'> => {
        await Promise.resolve();
        refuse();
        const tag = `"${attempts.length}"`;
        if (cursor === null && etag === tag) return 'unchanged';
        self.pages += 1;
        const from = Number(cursor ?? 0);
        const newestFirst = attempts.toReversed().slice(from, from + pageSize);
        const next = from + pageSize < attempts.length ? String(from + pageSize) : null;
        return { attempts: newestFirst, next, etag: cursor === null ? tag : null, perHour: self.perHour };
      },
      delivery: async (id): Promise<Delivery | null> => {
        await Promise.resolve();
        refuse();
        const { guid } = attempts.find((one) => one.id === id) ?? { guid: '' };
        return gone.has(guid) ? null : { event: 'issue_comment', payload: { guid } };
      },
      webhookUrl: async () => await Promise.resolve(null),
    },
    mayStart: (event) => event === 'issue_comment.created',
    webhooksArrive: async () => {
      await Promise.resolve();
      refuse();
      return self.webhooksArrive;
    },
    hand: async (_, guid) => {
      await Promise.resolve();
      self.handed.push(guid);
      return self.answers.shift() ?? 202;
    },
    now: () => self.now,
    log: () => undefined,
  });
  // @ts-expect-error -- the storage is all that it uses of its state
  const reader = (): Reader => new Reader({ storage }, deps());
  const self: World = {
    storage,
    handed: [],
    pages: 0,
    now: start,
    webhooksArrive: false,
    perHour: null,
    answers: [],
    outages: 0,
    send: (guid, status = 0, lateMs = 0) => {
      self.now += 1;
      const at = self.now - lateMs;
      attempts.push({ id: String(attempts.length), guid, at, event: 'issue_comment.created', status });
      attempts.sort((one, other) => one.at - other.at);
    },
    forget: (guid) => void gone.add(guid),
    look: async () => await reader().alarm(),
    wake: async () => await reader().wake(),
    wakeAndLook: async () => {
      const woken = reader();
      await woken.wake();
      await woken.alarm();
    },
  };
  return self;
}

describe('the reader of deliveries', () => {
  it('hands over each missed event once, oldest first, also after a restart', async () => {
    const at = world(2);
    for (const guid of ['a', 'b', 'c', 'b', 'd', 'e']) at.send(guid);
    await at.look();
    at.send('f');
    await at.look();
    await at.look();
    expect(at.handed).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });

  it('looks every four seconds without webhooks, every minute with them', async () => {
    const at = world();
    await at.look();
    expect(at.storage.alarm).toBe(start + 4000);
    at.webhooksArrive = true;
    await at.look();
    // It finds out again only when it is woken.
    expect(at.storage.alarm).toBe(start + 4000);
    await at.wake();
    expect(at.storage.alarm).toBe(start);
  });

  it('leaves alone what a webhook has brought', async () => {
    const at = world();
    at.webhooksArrive = true;
    at.send('arrived', 202);
    at.send('missed', 503);
    await at.look();
    expect(at.handed).toEqual(['missed']);
    expect(at.storage.alarm).toBe(at.now + 60_000);
  });

  it('hands over again what the intake could not take, and nothing else', async () => {
    const at = world();
    for (const guid of ['a', 'b', 'c', 'd']) at.send(guid);
    at.answers.push(202, 503, 422, 500);
    await at.look();
    at.now += hour;
    await at.look();
    expect(at.handed).toEqual(['a', 'b', 'c', 'd', 'b', 'd']);
    await at.look();
    expect(at.handed).toHaveLength(6);
  });

  it('tries less and less often what the intake never takes, and other events at once', async () => {
    const at = world();
    at.send('poison');
    at.answers.push(...Array.from({ length: 9 }, () => 503));
    const end = at.now + hour;
    while (at.now < end) {
      await at.look();
      at.now = at.storage.alarm ?? end;
      if (at.handed.length === 9 && !at.handed.includes('b')) {
        at.send('b');
        at.answers.push(202, ...Array.from({ length: 900 }, () => 408));
      }
    }
    expect(at.handed.filter((guid) => guid === 'b')).toHaveLength(1);
    expect(at.handed.length).toBeLessThan(20);
    // GitHub drops it after three days.
    at.forget('poison');
    at.now += hour;
    await at.look();
    at.now += hour;
    await at.look();
    expect(at.handed.at(-1)).toBe('poison');
    expect(at.storage.sql.exec('SELECT guid FROM handled').toArray()).toHaveLength(2);
  });

  it('does not ask again for what GitHub has forgotten', async () => {
    const at = world();
    at.send('a');
    at.forget('a');
    await at.look();
    at.send('b');
    await at.look();
    expect(at.handed).toEqual(['b']);
  });

  it('loses nothing to an outage of GitHub at any call, and backs off', async () => {
    for (let call = 1; call <= 5; call += 1) {
      const at = world(2);
      for (const guid of ['a', 'b', 'c']) at.send(guid);
      at.outages = call;
      const waits: number[] = [];
      for (let looks = 0; looks < 8; looks += 1) {
        await at.look();
        waits.push((at.storage.alarm ?? 0) - at.now);
        at.now = at.storage.alarm ?? 0;
      }
      expect(at.handed.toSorted()).toEqual(['a', 'b', 'c']);
      expect(Math.max(...waits)).toBeLessThanOrEqual(60_000);
      expect(waits.at(-1)).toBe(4000);
    }
  });

  it('reads nothing in full while nothing changes', async () => {
    const at = world();
    at.send('a');
    for (let looks = 0; looks < 10; looks += 1) await at.look();
    expect(at.pages).toBe(1);
  });

  it('reads one page a look where much is delivered, and what GitHub listed late after a wake', async () => {
    const at = world(20);
    for (let index = 0; index < 300; index += 1) {
      at.now += 3000;
      at.send(`event-${index}`);
      if (index % 3 === 0) await at.look();
    }
    expect(at.pages).toBe(100);
    at.send('late', 0, 20_000);
    at.send('very-late', 0, 10 * 60_000);
    await at.look();
    expect(at.handed.slice(298)).toEqual(['late', 'event-298', 'event-299']);
    await at.wakeAndLook();
    expect(at.handed.slice(301)).toEqual(['very-late']);
  });

  it('stays within a tenth of the rate limit, and loses nothing by it', async () => {
    const at = world();
    at.perHour = 200;
    for (let index = 0; index < 50; index += 1) at.send(`event-${index}`);
    await at.look();
    expect(at.handed).toHaveLength(19);
    const end = at.now + 3 * hour;
    while (at.now < end) {
      at.now = at.storage.alarm ?? end;
      await at.look();
    }
    expect(at.handed).toEqual(Array.from({ length: 50 }, (_, index) => `event-${index}`));
  });

  it('goes back ten minutes at its first look, and forgets events after four days', async () => {
    const at = world();
    at.send('before');
    at.now += hour;
    at.send('recent');
    await at.look();
    expect(at.handed).toEqual(['recent']);
    at.now += 100 * hour;
    await at.look();
    expect(at.storage.sql.exec('SELECT guid FROM handled').toArray()).toEqual([]);
    await at.look();
    expect(at.handed).toEqual(['recent']);
  });
});
