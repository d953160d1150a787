/**
 * The state folder: full and read-only for a while, and with a damaged file in it, at moments of a task that
 * a held call makes.
 */
import { randomBytes } from 'node:crypto';
import { globSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TaskOutcome } from '../src/core/task.ts';
import { until } from './ask.ts';
import { askIn, type AskedPlace } from './calls/ask-in.ts';
import type { ChaosCase, Harm, Place } from './case.ts';

interface Moment {
  readonly call: string;
  /** What a task that loses its sandbox here ends as. */
  readonly endsWithoutSandbox: readonly TaskOutcome['kind'][];
}
const moments = {
  authorize: { call: 'github GET /installation', endsWithoutSandbox: ['pull-request'] },
  codex: { call: 'openai POST /v1/responses', endsWithoutSandbox: ['failed'] },
  publish: { call: 'github POST /git/trees', endsWithoutSandbox: ['pull-request'] },
} as const satisfies Readonly<Record<string, Moment>>;

/** Objects of the Worker, by the files that they have below `worker`. */
const objects = {
  record: 'do/airlock-TaskRecord',
  inbox: 'do/airlock-TaskInbox',
  index: 'do/airlock-TaskIndex',
  slots: 'do/airlock-Slots',
  deliveries: 'do/airlock-Deliveries',
  workflow: 'workflows/miniflare-workflows-tasks',
} as const;

const damages = {
  overwritten: async (path: string) => {
    const file = await open(path, 'r+');
    await file.write(randomBytes(4096), 0, 4096, 0);
    await file.close();
  },
  'cut off': async (path: string) => {
    truncateSync(path, 6000);
    await Promise.resolve();
  },
  emptied: async (path: string) => {
    truncateSync(path, 0);
    await Promise.resolve();
  },
} as const;

/** What SQLite makes of the damage does not depend on the moment: later ones get one kind. */
const damagesAt = (moment: string) => Object.entries(damages).slice(0, moment === 'authorize' ? 3 : 1);

/** While the folder is full or cannot be written, ms. */
const troubleMs = 3_000;

export function stateCases(): readonly ChaosCase[] {
  return Object.entries(moments).flatMap(([name, moment]) => [
    stateCase(`full/${name}`, name, 'the disk of the state folder is full for a while', async (place) => {
      const asked = await askUntil(moment.call, place);
      await fillDisk(place);
      return { ...asked, at: Date.now(), ends: ['pull-request'] };
    }),
    stateCase(`read-only/${name}`, name, 'the bot is started on a read-only state folder', async (place) => {
      const asked = await askUntil(moment.call, place);
      await startReadOnly(place);
      return { ...asked, at: Date.now(), ends: moment.endsWithoutSandbox };
    }),
    ...Object.entries(objects).flatMap(([object, folder]) =>
      damagesAt(name).map(([damage, harm]) =>
        stateCase(
          `damaged/${name}/${object}/${damage.replace(' ', '-')}`,
          name,
          `the files of the ${object} are ${damage} while the bot is down`,
          async (place) => {
            const asked = await askUntil(moment.call, place);
            const at = await place.lane.kill('all', async () => await damageAll(place, folder, harm));
            if (object !== 'record') return { ...asked, at, ends: moment.endsWithoutSandbox };
            // The task starts over, and its sandbox is used up.
            return { ...asked, at, ends: ['pull-request', 'failed'], losesTokens: true };
          },
        ),
      ),
    ),
  ]);
}

function stateCase(
  id: string,
  phase: string,
  injected: string,
  run: (place: Place) => Promise<Harm>,
): ChaosCase {
  return { id: `state/${id}`, group: 'state', phase, injected, alone: true, owner: 'acme', run };
}

/** The call is held for as long as the trouble takes. */
async function askUntil(call: string, place: Place): Promise<AskedPlace> {
  const { lane, repository } = place;
  let isMade = false;
  lane.exchange.join(repository, ({ name }) => {
    if (isMade || name !== call) return null;
    isMade = true;
    return { kind: 'hold', until: sleep(troubleMs) };
  });
  const asked = await askIn('issue', place);
  await until(`the call ${call}`, () => isMade, { everyMs: 20 });
  return asked;
}

async function fillDisk({ lane }: Place): Promise<void> {
  const filler = join(lane.botStateDir, 'filler');
  try {
    writeFileSync(filler, Buffer.alloc(lane.diskBytes));
    throw new Error('the state folder is on no small disk: run this as a user who may mount one');
  } catch (error) {
    if (!String(error).includes('ENOSPC')) throw error;
  }
  const health = async () => (await fetch(`${lane.world.bot.url}/healthz`).catch(() => null))?.status;
  await until('the full disk to be reported', async () => (await health()) === 503);
  await sleep(troubleMs);
  rmSync(filler);
}

async function startReadOnly({ lane }: Place): Promise<void> {
  const started = await lane
    .kill('all', async () => await lane.remountState('ro'))
    .then(
      () => 'it started',
      (error: unknown) => String(error),
    );
  await lane.remountState('rw');
  if (!/cannot be written.*read-only/.test(started))
    throw new Error(`a start on a read-only state folder: ${started}`);
  await lane.world.restartBot();
}

async function damageAll(
  { lane }: Place,
  folder: string,
  harm: (path: string) => Promise<void>,
): Promise<void> {
  const files = globSync(join(lane.botStateDir, 'worker', folder, '*.sqlite'));
  if (files.length === 0) throw new Error(`there are no files in ${folder}`);
  for (const file of files.filter((name) => !name.endsWith('metadata.sqlite'))) {
    for (const part of ['-wal', '-shm']) rmSync(`${file}${part}`, { force: true });
    await harm(file);
  }
}
