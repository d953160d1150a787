/** The state and addresses of one simulated GitHub, and the request helpers that all route files share. */
import type { Context } from 'hono';
import type { z } from 'zod';
import { decideAccess, type Caller, type Identities, type RequiredPermission } from './access.ts';
import { ApiError, forbidden, MovedError, notFound } from './api-errors.ts';
import type { AppManifests } from './app-manifests.ts';
import type { Attachments } from './attachments.ts';
import type { JobLogs } from './job-logs.ts';
import type { SignIns } from './sign-ins.ts';
import type { Repository, Store, User } from './store.ts';
import type { Webhooks } from './webhooks.ts';
import { parseJson } from '../../src/lib/parse-json.ts';

export interface Site extends Identities {
  /** Base URL of the web pages and of git, without a trailing slash. */
  readonly url: string;
  readonly apiUrl: string;
  readonly store: Store;
  readonly webhooks: Webhooks;
  /** Of requests, for the headers. null: no limit, as on a server of one's own. */
  readonly hourlyLimit: number | null;
  readonly logs: JobLogs;
  readonly attachments: Attachments;
  readonly signIns: SignIns;
  readonly manifests: AppManifests;
  /** Replaced when a person creates another App from a manifest. */
  app: Identities['app'] & {
    readonly slug: string;
    readonly createdAt: string;
    readonly owner: string;
    /** Whether accounts other than the owner's can install it. */
    readonly public: boolean;
    /** Where GitHub leads after an installation. */
    readonly setupUrl: string | null;
    /** The webhook events that the App subscribes to. */
    events: readonly string[];
  };
  /** The App's own account: `slug[bot]`. */
  readonly bot: User;
}

export interface ApiEnv {
  Variables: { caller: Caller };
}
type ApiContext = Context<ApiEnv>;

/** The repository in the path. Throws GitHub's error if the caller lacks the permission. */
export function repositoryOf(c: ApiContext, site: Site, need: RequiredPermission): Repository {
  const [owner, name] = [c.req.param('owner') ?? '', c.req.param('repo') ?? ''];
  const named = site.store.repository(owner, name);
  const repository = requireAccess(c, named ?? site.store.repositoryByFormerName(owner, name), need);
  if (named === null) throw redirectError(c, site, repository);
  return named;
}

/** The redirect from a repository's former name: the same path below its address by id. */
export function redirectError(c: ApiContext, site: Site, { id }: Repository): MovedError {
  const url = new URL(c.req.url);
  const below = url.pathname.replace(/^.*?\/repos\/[^/]+\/[^/]+/, '');
  return new MovedError(c.req.method, `${site.apiUrl}/repositories/${id}${below}${url.search}`);
}

/** Checks access to a repository that was looked up in another way. `null`: it does not exist. */
export function requireAccess(
  c: ApiContext,
  repository: Repository | null,
  need: RequiredPermission,
): Repository {
  const caller = c.get('caller');
  const access = decideAccess(caller, repository, need);
  if (access.kind === 'allowed') return access.repository;
  if (access.kind === 'hidden') throw notFound();
  if (access.kind === 'unauthenticated')
    throw new ApiError(caller.kind === 'refused' ? caller.status : 401, access.message);
  c.header('x-accepted-github-permissions', need.anyOf.map((name) => `${name}=${need.level}`).join('; '));
  throw forbidden();
}

/** A numeric path parameter. Throws 404 for anything else, as for an unknown id. */
export function numberParam(c: ApiContext, name: string): number {
  const text = c.req.param(name) ?? '';
  if (!/^\d{1,15}$/.test(text)) throw notFound();
  return Number(text);
}

/** 400 if it is not JSON, 422 if it violates the schema. An empty body is `{}`. */
export async function bodyOf<Schema extends z.ZodType>(
  c: ApiContext,
  schema: Schema,
): Promise<z.output<Schema>> {
  const text = await c.req.text();
  const json = text === '' ? {} : parseJson(text);
  if (json === undefined) throw new ApiError(400, 'Problems parsing JSON');
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ApiError(
    422,
    `Invalid request.\n\n${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`,
  );
}

/** Returns one page of a list and sets GitHub's Link header. `per_page` is 30 by default and at most 100. */
export function pageOf<Item>(c: ApiContext, site: Site, items: readonly Item[]): readonly Item[] {
  const number = (name: string, otherwise: number): number => {
    const value = Number(c.req.query(name) ?? otherwise);
    return Number.isInteger(value) && value > 0 ? value : otherwise;
  };
  const perPage = Math.min(number('per_page', 30), 100);
  const page = number('page', 1);
  const last = Math.max(1, Math.ceil(items.length / perPage));
  const address = (to: number): string => {
    const url = new URL(c.req.url);
    const query = new URLSearchParams(url.search);
    query.set('page', String(to));
    return `${site.url}${url.pathname}?${query.toString()}`;
  };
  const links: string[] = [];
  if (page > 1) links.push(`<${address(page - 1)}>; rel="prev"`);
  if (page < last) links.push(`<${address(page + 1)}>; rel="next"`, `<${address(last)}>; rel="last"`);
  if (page > 1) links.push(`<${address(1)}>; rel="first"`);
  if (links.length > 0) c.header('link', links.join(', '));
  return items.slice((page - 1) * perPage, page * perPage);
}
