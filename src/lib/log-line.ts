/** Formats a line of the log: one JSON object that starts with `event`, `time` and `level`. */

type LogLevel = 'info' | 'warn' | 'error';

const isError = /[._](?:failed|invalid)$/;
const isWarning =
  /[._](?:refused|denied|unreadable|unavailable|unhandled|late|lost|closed|reclaimed|rearmed|destroyed|restarted)$|[._]not_/;

/** `event` and `time` are reserved. The level follows from the event's last words, or the field `level`. */
export function logLine(event: string, fields: Readonly<Record<string, unknown>>, at: Date): string {
  const time = at.toISOString();
  const level = levelIn(fields['level']) ?? levelOf(event);
  const reserved = { event, time, level };
  return JSON.stringify({ ...reserved, ...fields, ...reserved });
}

function levelIn(given: unknown): LogLevel | null {
  return given === 'info' || given === 'warn' || given === 'error' ? given : null;
}

function levelOf(event: string): LogLevel {
  if (isError.test(event)) return 'error';
  return isWarning.test(event) ? 'warn' : 'info';
}
