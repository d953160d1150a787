/** Hands the settings to wrangler on its standard input: an argument shows in the list of processes. */
import type { RunProgram } from '../deploy/run-program.ts';
import { refuse, type Refusal } from './refusal.ts';
import { settingNames } from '../../src/settings.ts';
import { accountProblem, firstError } from '../deploy/judge.ts';

/** Something that is left for a person: a command, or what to enter at GitHub. */
export interface Afterwards {
  readonly why: string;
  readonly what: string;
}

/** `publicUrl`: null until the first deployment has printed it. */
export function afterwards(environment: string, publicUrl: string | null): readonly Afterwards[] {
  const deploy = `npm run deploy -- --env ${environment}`;
  if (publicUrl !== null)
    return [
      { why: 'Deploy, also if you did before: the allowlist is part of the deployment', what: deploy },
      {
        why: 'So that people can sign in to the pages, enter this as Callback URL on the App’s page, if it is not there',
        what: `${publicUrl}/auth/callback`,
      },
    ];
  const again = `npm run setup -- --cloudflare --env ${environment} --url https://ADDRESS`;
  return [
    { why: 'Deploy, which prints the address', what: deploy },
    { why: 'Lead GitHub’s webhooks to that address, and connect Slack', what: again },
  ];
}

/** The settings that the Worker reads, as `wrangler secret bulk` takes them. */
export function secretsIn(settings: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const hasSlack = 'SLACK_BOT_TOKEN' in settings && 'SLACK_SIGNING_SECRET' in settings;
  return Object.fromEntries(
    Object.entries(settings).filter(([name, value]) => {
      // With Socket Mode, one machine does without the other half.
      if (name.startsWith('SLACK_') && name !== 'SLACK_API_URL' && !hasSlack) return false;
      // That of one machine's own pages.
      if (name === 'AIRLOCK_URL' && !value.startsWith('https://')) return false;
      return settingNames.includes(name);
    }),
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
