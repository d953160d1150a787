/** Hands the settings to wrangler on its standard input: an argument shows in the list of processes. */
import { parseEnv } from 'node:util';
import type { RunProgram } from '../deploy/run-program.ts';
import { refuse, type Refusal } from './refusal.ts';
import { settingNames } from '../../src/settings.ts';
import { accountProblem, firstError } from '../deploy/judge.ts';

export const afterwards = (environment: string): readonly string[] => [
  `npm run deploy -- --env ${environment}`,
  `npm run setup -- --cloudflare --env ${environment} --url https://ADDRESS   # what the deployment prints`,
];

/** The settings of `.dev.vars` that the Worker reads, as `wrangler secret bulk` takes them. */
export function secretsIn(devVars: string): Readonly<Record<string, string>> {
  const all = Object.entries(parseEnv(devVars));
  return Object.fromEntries(
    all.flatMap(([name, value]) =>
      value !== undefined && value.trim() !== '' && settingNames.includes(name) ? [[name, value]] : [],
    ),
  );
}

export async function handToWrangler(
  secrets: Readonly<Record<string, string>>,
  environment: string,
  run: RunProgram,
): Promise<Refusal | null> {
  const { code, output } = await run(['wrangler', 'secret', 'bulk', '--env', environment], {
    input: JSON.stringify(secrets),
  });
  if (code === 0) return null;
  const remedy = 'Correct it, and run npm run setup -- --cloudflare again: everything else is stored.';
  return refuse(accountProblem(output) ?? `wrangler did not take the secrets: ${firstError(output)}`, remedy);
}
