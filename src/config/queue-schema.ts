/** Defines the shape of `slots` and `retention`: how many tasks run, and how long records are kept. */
import * as z from 'zod';
import { builtIn } from './built-in.ts';

/** The bound is far above what one deployment runs. */
const slotCount = (most: number, meaning: string) =>
  z
    .int()
    .min(1)
    .max(1000)
    .optional()
    .meta({ description: `${meaning}, 1 to 1000. Default ${most}.` });
export const slotsSchema = z
  .strictObject({
    total: slotCount(builtIn.slots.total, 'Sandboxes at the same time'),
    perRepository: slotCount(builtIn.slots.perRepository, 'Sandboxes of one repository at the same time'),
    perRequester: slotCount(builtIn.slots.perRequester, 'Sandboxes of one person at the same time'),
  })
  .meta({
    description:
      'How many tasks run at the same time. The others wait in a queue: repositories take turns, and the oldest task of each goes first.',
  });
export const retentionSchema = z
  .strictObject({
    days: z
      .int()
      .min(1)
      .max(3650)
      .optional()
      .meta({
        description: `Days after the end of the task, 1 to 3650. Default ${builtIn.retentionDays}.`,
      }),
  })
  .meta({
    description: 'How long the record of an ended task is kept: its log, its change, its receipt.',
  });
