/**
 * A real container engine for the native class's contract, in place of the fake one: the variable
 * `AIRLOCK_CONTAINER_ENGINE` names its socket (CONTRIBUTING.md). The image is the `base` of
 * `container/images`, built under a fixed name.
 */
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

export interface RealEngine {
  /** For miniflare's `containerEngine`. */
  readonly socketPath: string;
  readonly container: { readonly images: { name: string; image: string }[] };
  /** Kills the container of a Durable Object, by the object's id. */
  takeAway(objectId: string): Promise<void>;
}

const listSchema = z.array(z.object({ Id: z.string(), Names: z.array(z.string()) }));

/** null if the environment names none. */
export function realEngine(): RealEngine | null {
  const socketPath = process.env['AIRLOCK_CONTAINER_ENGINE'] ?? '';
  if (socketPath === '') return null;
  const ask = async (method: string, path: string): Promise<string> =>
    await new Promise((resolve, reject) => {
      const asked = request({ socketPath: socketPath.replace(/^unix:(?:\/\/)?/, ''), method, path });
      asked.once('response', (response) => void text(response).then(resolve, reject));
      asked.once('error', reject);
      asked.end();
    });
  return {
    socketPath,
    container: { images: [{ name: 'base', image: 'airlock/base:contract' }] },
    async takeAway(objectId) {
      const all = listSchema.parse(JSON.parse(await ask('GET', '/containers/json')));
      const found = all.find(({ Names }) =>
        Names.some((name) => name.includes(objectId) && !name.endsWith('-proxy')),
      );
      if (found === undefined) throw new Error('the engine has no such container');
      await ask('POST', `/containers/${found.Id}/kill`);
    },
  };
}
