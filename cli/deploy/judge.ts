/** Judges the requirements of a deployment on plain data. Each answer is null or one line with a remedy. */
import { z } from 'zod';
import { parseJson } from '../../src/lib/parse-json.ts';

const listSchema = z.array(z.object({ name: z.string() }));

/** `API_TOKEN` is optional for Airlock, but the doctor needs it to check the deployment. */
const required = [
  'GITHUB_APP_ID',
  'GITHUB_APP_PRIVATE_KEY',
  'GITHUB_WEBHOOK_SECRET',
  'OPENAI_API_KEY',
  'API_TOKEN',
] as const;
const slackPair = ['SLACK_BOT_TOKEN', 'SLACK_SIGNING_SECRET'] as const;

export interface SecretsInput {
  /** Exit code of `wrangler secret list`. */
  readonly code: number | null;
  readonly stdout: string;
  readonly output: string;
  /** Names from elsewhere: variables of `wrangler.jsonc`, a secrets file. */
  readonly given: readonly string[];
  /** `--env NAME ` for the commands in the remedy; empty for the top level. */
  readonly environmentFlag: string;
  /** Whether the configuration has a Slack workspace. */
  readonly usesSlack: boolean;
}

/** Returns null if all required secrets are set and Slack's secrets agree with the configuration. */
export function secretsProblem(input: SecretsInput): string | null {
  const { code, stdout, output, given, environmentFlag: flag, usesSlack } = input;
  // A Worker that does not exist yet has no secrets; they are uploaded with it, from a file.
  const isNew = code !== 0 && /\[code: (?:10007|10090)\]|does not exist on your account/i.test(output);
  if (code !== 0 && !isNew)
    return accountProblem(output) ?? `wrangler could not list the secrets: ${firstError(output)}`;
  const listed = isNew ? [] : namesIn(stdout);
  if (listed === null)
    return 'wrangler secret list has an unknown format. Run npm ci to get the pinned version of wrangler.';
  const present = new Set([...listed, ...given]);
  const missing = required.filter((name) => !present.has(name));
  const remedy = (
    isNew
      ? 'This Worker is new: put them into a file (chmod 600) ' +
        `and run npm run deploy -- ${flag}--secrets-file FILE`
      : `Set each: npx wrangler secret put NAME ${flag}`
  ).trim();
  if (missing.length > 0) return `Secrets are missing: ${missing.join(', ')}. ${remedy}.`;
  const pair = slackPair.filter((name) => present.has(name));
  if (pair.length === 1)
    return (
      `Of Slack’s two secrets only ${pair.join('')} is set. ` +
      `Set both (${slackPair.join(', ')}), or delete it.`
    );
  if (pair.length === 2 && !usesSlack)
    return (
      'Slack’s secrets are set, but airlock.config.jsonc names no workspace under "slack.team". ' +
      'Add it, or delete them.'
    );
  if (pair.length === 0 && usesSlack)
    return (
      `airlock.config.jsonc names a Slack workspace, but neither of Slack’s secrets is set ` +
      `(${slackPair.join(', ')}). ${remedy}; or remove "slack" from the file.`
    );
  return null;
}

function namesIn(stdout: string): readonly string[] | null {
  const from = stdout.indexOf('[');
  if (from === -1) return null;
  const listed = listSchema.safeParse(parseJson(stdout.slice(from, stdout.lastIndexOf(']') + 1)));
  return listed.data?.map(({ name }) => name) ?? null;
}

/** Recognizes problems with the Cloudflare account in wrangler’s output; null for any other output. */
export function accountProblem(output: string): string | null {
  if (/CLOUDFLARE_API_TOKEN environment variable|not authenticated|wrangler login/i.test(output))
    return (
      'Not logged in to Cloudflare. ' +
      'Run npx wrangler login, or set CLOUDFLARE_API_TOKEN (and CLOUDFLARE_ACCOUNT_ID).'
    );
  if (/Authentication error|\[code: (?:10000|9109|10001)\]/.test(output))
    return (
      'Cloudflare refuses this CLOUDFLARE_API_TOKEN. It needs Workers Scripts: Edit, Containers: Edit ' +
      'and Account Settings: Read on the right account.'
    );
  if (/More than one account available/i.test(output))
    return 'This login has several Cloudflare accounts. Set CLOUDFLARE_ACCOUNT_ID.';
  return null;
}

/** Returns the first error in a program's output as one line of at most 300 characters. */
export function firstError(output: string): string {
  const lines = output.split('\n').map((line) => line.trim());
  const error =
    lines.find((line) => /ERROR|error/.test(line)) ?? lines.find((line) => line !== '') ?? 'no output';
  return error.replace(/^\W*\[?ERROR\]?\W*/, '').slice(0, 300);
}

export type ImageKind =
  /** Built here, which needs a container engine. */
  | { readonly kind: 'dockerfile'; readonly path: string }
  /** Built elsewhere. */
  | { readonly kind: 'prebuilt'; readonly name: string };

/** Decides as wrangler does: a value that begins like a path, or is called Dockerfile, is a Dockerfile. */
export function imageKind(image: string): ImageKind {
  return /^\.{0,2}\//.test(image) || /(?:^|\/)Dockerfile[^/:]*$/.test(image)
    ? { kind: 'dockerfile', path: image }
    : { kind: 'prebuilt', name: image };
}

/** Only production: learning the digest needs access to the registry. */
export function needsDigest(environment: string | null, dryRun: boolean): boolean {
  return environment === 'production' && !dryRun;
}

const outputLine = z.looseObject({
  type: z.literal('deploy'),
  version_id: z.string().nullish(),
  targets: z.array(z.string()).nullish(),
});

export interface Deployed {
  /** null if it has none. */
  readonly address: string | null;
  /** Cloudflare’s id of the uploaded version; null if wrangler did not report it. */
  readonly versionId: string | null;
}

/** Reads address and version from the file that wrangler wrote to `WRANGLER_OUTPUT_FILE_PATH`. */
export function deployedAs(outputFile: string): Deployed {
  for (const line of outputFile.split('\n').toReversed()) {
    const parsed = outputLine.safeParse(parseJson(line));
    if (!parsed.success) continue;
    const { targets, version_id: versionId } = parsed.data;
    return { address: addressIn(targets ?? []), versionId: versionId ?? null };
  }
  return { address: null, versionId: null };
}

function addressIn(targets: readonly string[]): string | null {
  for (const target of targets) {
    // `https://airlock.example.workers.dev`, `bot.example.com (custom domain)`, `schedule: …`
    const host = /^(?:https:\/\/)?((?:[a-z0-9-]+\.)+[a-z]{2,})(?:\/\*?)?(?: \(custom domain\b.*\))?$/i.exec(
      target,
    )?.[1];
    if (host !== undefined) return `https://${host.toLowerCase()}`;
  }
  return null;
}
