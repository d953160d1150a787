/**
 * Registers an App from a manifest, as GitHub does: its settings are checked, and a code is exchanged once,
 * within an hour, for the App's credentials. An App takes the place of the last one.
 * Sources: docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
 */
import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { parseJson } from '../../src/lib/parse-json.ts';
import { publicKey } from './app-jwt.ts';

/** GitHub's limits: one hour for all three steps, 34 characters of a name. */
const codeLifeMs = 60 * 60 * 1000;
const maxName = 34;

const level = z.enum(['read', 'write']);
const permissionNames = [
  'actions',
  'administration',
  'checks',
  'contents',
  'issues',
  'members',
  'metadata',
  'pull_requests',
  'statuses',
  'workflows',
] as const;
/** An event is delivered only to an App that may read what it is about. */
const eventNeeds: Readonly<Record<string, readonly string[]>> = {
  issue_comment: ['issues', 'pull_requests'],
  issues: ['issues'],
  pull_request: ['pull_requests'],
  pull_request_review: ['pull_requests'],
  pull_request_review_comment: ['pull_requests'],
};

const publicHook = z.url({ protocol: /^https?$/ }).refine((url) => {
  const { hostname } = new URL(url);
  return !/^(?:localhost|127\..*|\[::1\])$/.test(hostname);
}, "Hook url is not supported because it isn't reachable over the public Internet (localhost)");

const manifestSchema = z
  .strictObject({
    name: z.string().min(1).max(maxName).optional(),
    url: z.url({ error: `Error "url" wasn't supplied.` }),
    hook_attributes: z.strictObject({ url: publicHook, active: z.boolean().optional() }).optional(),
    redirect_url: z.url(),
    callback_urls: z.array(z.url()).max(10).optional(),
    setup_url: z.url().optional(),
    description: z.string().optional(),
    public: z.boolean().optional(),
    default_events: z.array(z.string()).optional(),
    default_permissions: z.partialRecord(z.enum(permissionNames), level).optional(),
    request_oauth_on_install: z.boolean().optional(),
    setup_on_update: z.boolean().optional(),
  })
  .superRefine(({ default_events: events = [], default_permissions: granted = {} }, context) => {
    for (const event of events)
      if (eventNeeds[event]?.some((name) => Object.hasOwn(granted, name)) !== true)
        context.addIssue({ code: 'custom', message: `Default events unsupported: ${event}` });
  });
export type AppManifest = z.infer<typeof manifestSchema>;

/** The manifest, or why GitHub refuses it. */
export function readManifest(
  text: string,
): { ok: true; manifest: AppManifest } | { ok: false; problem: string } {
  const parsed = manifestSchema.safeParse(parseJson(text));
  if (parsed.success) return { ok: true, manifest: parsed.data };
  const [issue] = parsed.error.issues;
  return { ok: false, problem: `${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is invalid'}`.trim() };
}

export const slugOf = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');

export interface AppCredentials {
  readonly clientSecret: string;
  readonly webhookSecret: string | null;
  readonly pem: string;
}

/** What a person accepts on GitHub's page until the credentials are fetched. */
export class AppManifests {
  private readonly codes = new Map<string, { at: number; credentials: AppCredentials }>();

  /** Makes the App's credentials and the code for them. */
  register(manifest: AppManifest): { code: string; key: KeyObject; webhookSecret: string | null } {
    const { privateKey, publicKey: pem } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const webhookSecret = manifest.hook_attributes === undefined ? null : randomBytes(20).toString('hex');
    const code = randomBytes(20).toString('hex');
    const credentials = { clientSecret: randomBytes(20).toString('hex'), webhookSecret, pem: privateKey };
    this.codes.set(code, { at: Date.now(), credentials });
    return { code, key: publicKey(pem), webhookSecret };
  }

  /** Null: unknown, expired or used. */
  exchange(code: string): AppCredentials | null {
    const found = this.codes.get(code);
    this.codes.delete(code);
    return found === undefined || Date.now() - found.at > codeLifeMs ? null : found.credentials;
  }

  /** Makes every code older by `ms`. */
  age(ms: number): void {
    for (const entry of this.codes.values()) entry.at -= ms;
  }
}
