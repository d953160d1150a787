/** Reads the report of setup that the record keeps, and puts a failed setup into a sentence. */
import type { TaskRecordPort } from '../core/ports/task-record.ts';
import { durationText } from '../core/task-words.ts';
import { setupReportSchema, type SetupReport } from '../core/setup.ts';

export const keptSetup = 'setup.json';

/** Reads the report; null if the task has no setup, or setup has not ended. */
export async function setupReport({
  record,
}: {
  readonly record: Pick<TaskRecordPort, 'kept'>;
}): Promise<SetupReport | null> {
  return parseSetupReport(await record.kept(keptSetup));
}

export function parseSetupReport(kept: string | null): SetupReport | null {
  return kept === null ? null : setupReportSchema.parse(JSON.parse(kept));
}

/** One sentence about a setup that did not succeed. */
export function setupFailure({ command, status, exitCode, durationMs }: SetupReport): string {
  const duration = durationText(durationMs);
  const how =
    status === 'timed-out'
      ? `was stopped at its time limit after ${duration}`
      : `ended with exit status ${exitCode} after ${duration}`;
  return `Setup failed: \`${command.replace(/[`\s]+/g, ' ').slice(0, 200)}\` ${how}.`;
}
