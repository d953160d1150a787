/** What the API takes: the bodies of its requests. */
import * as z from 'zod';
import { taskOptionsSchema } from '../core/task.ts';

export const startSchema = z.strictObject({
  repository: z.string().min(1).max(200),
  instruction: z.string().trim().min(1).max(20_000),
  ...taskOptionsSchema.shape,
});
export const publishSchema = z.strictObject({
  /** The hash of the held change that a person looked at and approves. */
  approve: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});
