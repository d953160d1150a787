/** Transfers parts between a sandbox and the setup cache for the Worker's binding, parsed and bounded. */
import { Hono } from 'hono';
import { z } from 'zod';
import { partBytes, partName } from '../../src/core/ports/setup-cache-port.ts';
import type { Registry } from './registry.ts';
import { maxEntryBytes, storedBySchema, type SetupCacheStore } from './setup-cache.ts';

/** Time for init to read or write one part. */
const answerMs = 30_000;

const hex = z.string().regex(/^[0-9a-f]{64}$/);
const entrySchema = z.object({ repositoryId: z.int().positive(), key: hex });
const folderSchema = z
  .string()
  .max(1000)
  .regex(/^\/[^\0]+$/);
const restoreSchema = z.object({ entry: entrySchema, folder: folderSchema });
const removeSchema = z.object({ entry: entrySchema });
const storeSchema = restoreSchema.extend({
  sha256: hex,
  bytes: z.int().positive(),
  parts: z
    .int()
    .positive()
    .max(Math.ceil(maxEntryBytes / partBytes)),
  storedBy: storedBySchema.omit({ at: true }),
});
const fileReply = z.object({ size: z.int().nonnegative().nullable() });

export function setupCacheRoutes(registry: Registry, cache: SetupCacheStore): Hono {
  const app = new Hono();

  app.post('/sandboxes/:id/setup-cache/restore', async (c) => {
    const { entry, folder } = restoreSchema.parse(await c.req.json());
    const sandbox = registry.running(hex.parse(c.req.param('id')));
    const result = await cache.read(entry, async (number, content) => {
      const path = `${folder}/${partName(number)}`;
      await sandbox.call({ method: 'writeFile', path }, content, answerMs);
    });
    return c.json(result);
  });

  app.post('/sandboxes/:id/setup-cache/store', async (c) => {
    const { entry, folder, parts, ...expected } = storeSchema.parse(await c.req.json());
    const sandbox = registry.running(hex.parse(c.req.param('id')));
    const result = await cache.write(entry, expected, async (number) => {
      if (number >= parts) return null;
      const path = `${folder}/${partName(number)}`;
      const range = { offset: 0, maxBytes: partBytes };
      const { header, body } = await sandbox.call(
        { method: 'readFile', path, ...range },
        undefined,
        answerMs,
      );
      return fileReply.parse(header).size === null ? null : body.subarray(0, partBytes);
    });
    return c.json(result);
  });

  app.post('/sandboxes/:id/setup-cache/remove', async (c) => {
    registry.running(hex.parse(c.req.param('id')));
    await cache.remove(removeSchema.parse(await c.req.json()).entry);
    return c.json({});
  });

  return app;
}
