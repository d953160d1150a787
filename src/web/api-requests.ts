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
export const doctorAskedSchema = z.strictObject({
  /** The address at which the caller reaches this deployment. The webhook should lead there. */
  url: z
    .url({ protocol: /^https?$/ })
    .max(300)
    .optional(),
  /** `sandbox`: only that check, for a Worker started for it. `version`: no check, no sandbox. */
  only: z.enum(['sandbox', 'version']).optional(),
});
export type DoctorAsked = z.infer<typeof doctorAskedSchema>;
