/** What the doctor finds, and its report as `POST /api/doctor` answers it. */
import * as z from 'zod';

/** `warn`: it works, or cannot be determined. `skip`: another check explains why this one cannot run. */
const findingStatusSchema = z.enum(['ok', 'warn', 'fail', 'skip']);

export const findingSchema = z.object({
  id: z.string(),
  status: findingStatusSchema,
  /** What the check found. */
  found: z.string(),
  /** The remedy; null when there is nothing to do. */
  todo: z.string().nullable(),
  /** Milliseconds. */
  ms: z.number(),
});
export type Finding = z.infer<typeof findingSchema>;

export const doctorReportSchema = z.object({
  version: z.string(),
  codexVersion: z.string(),
  /** Cloudflare's id of the uploaded version; null on one machine. */
  deploymentId: z.string().nullable(),
  /** SHA-256 of the configuration in use, as hex digits. */
  configHash: z.string(),
  at: z.iso.datetime(),
  findings: z.array(findingSchema).readonly(),
});
export type DoctorReport = z.infer<typeof doctorReportSchema>;
