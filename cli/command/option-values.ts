/** Reads values of options that several commands have: an address, a path. */
import { resolve } from 'node:path';
import { UsageProblem } from './run-command.ts';

/** The origin of an http(s) address, without a path. */
export function originOf(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol))
    throw new UsageProblem('--url must be an http(s) address, such as https://airlock.example.workers.dev');
  return parsed.origin;
}

/** npm changes to the project's folder; a path on the command line is relative to the caller's. */
export const callersPath = (path = '.'): string => resolve(process.env['INIT_CWD'] ?? process.cwd(), path);
