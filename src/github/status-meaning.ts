/**
 * What each answer of GitHub's API means, for every call: one table, of which the first match counts. Words
 * tell apart what has one status.
 * https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api
 */
import type { Meaning } from '../core/ports/upstream-error.ts';
import type { githubReasons } from '../core/github-reasons.ts';
import { reasonOf } from '../core/reason.ts';
import type { Reason } from '../core/task.ts';

export interface GithubAnswer {
  readonly status: number;
  /** Method and path, without a query. */
  readonly call: string;
  /** GitHub’s words: `message` and what is nested in `errors`. Untrusted. */
  readonly details: string;
  /** `errors[].field`. */
  readonly fields: readonly string[];
  readonly headers: {
    readonly retryAfter?: string | undefined;
    readonly rateLimitRemaining?: string | undefined;
    readonly rateLimitReset?: string | undefined;
  };
}

/** The reasons for an answer; the others are for calls without one that counts. */
type AnswerKey = Exclude<keyof typeof githubReasons, 'github-rate-limited' | 'github-unreachable'>;
/** Status, call, GitHub’s words, what the answer means, and the key of its reason. */
type Row = readonly [readonly number[], RegExp, RegExp, Meaning['kind'], AnswerKey];

/** Another token can be minted, so that the next attempt can succeed. */
export const tokenRefused = 'token-refused';

const any = /^/;
const minting = /^POST .*\/access_tokens$/;
const asApp = /^\w+ \/(?:app(?:\/|$)|installation$)/;
const people = /^GET \/collaborators\//;
const pulls = /^\w+ \/pulls$/;
const refs = /^\w+ \/git\/refs(?:\/|$)/;
const contents = /^\w+ \/(?:git|contents|commits|merges)(?:\/|$)/;
const readingContents = /^GET \/(?:git|contents|commits)(?:\/|$)/;
const checks = /^GET \/(?:commits\/.+\/(?:check-runs|status)|actions\/jobs\/\d+(?:\/logs)?)$/;
const checkRuns = /^(?:POST|PATCH) \/check-runs(?:\/|$)/;
const conversation = /^\w+ \/(?:issues|pulls)\/(?:comments\/)?\d+(?:\/|$)/;

const lineReplies = /^POST \/pulls\/\d+\/comments\/\d+\/replies$/;

const limitedTo =
  /(?:limited|restricted) to (?:existing users|[a-z ]*contributors|collaborators)|interaction limit/i;
const restrictsCreation = /(?:creation|creating)\w*\b[^.]*\brestricted|cannot create ref/i;
const restrictsName = /(?:branch|ref)\w* name|must (?:start|end) with|match(?:es)? (?:a|the) given/i;
const restrictsFiles = /file (?:size|path|extension)|paths? .*restrict|restricted .*path|too large|exceeds/i;
const findsSecret = /secret (?:detected|scanning)|cannot contain secrets/i;
const forbidsMerges = /contain merge commits|linear history/i;
const waitsForChecks = /required (?:status check|workflow|deployment)|waiting for results/i;
const freezes = /cannot (?:update|change|delete|force-push)|locked branch|authorized to push/i;
const protects = /rule violation|ruleset|protected (?:branch|ref)|push protection/i;
/** Of a GitHub Enterprise Server. */
const runsHook = /\bfield pre_receive\b|pre-receive hook/i;
/** GitHub’s words where it names no rule, as for branches under classic protection. */
const namesNoRule = /reference (?:update failed|cannot be updated)/i;

/** Rulesets and protected branches refuse with any of these. */
const byRule = [403, 405, 409, 422];
const moved = [301, 302, 307, 308];
const outage = [408, 409, 423, 425, ...Array.from({ length: 100 }, (_, n) => 500 + n)];

/** What applies to every call comes first, the meaning of the bare status last. */
const rows: readonly Row[] = [
  [[401], asApp, any, 'ours', 'app-refused'],
  [[401], any, any, 'transient', tokenRefused],
  [[403], any, /suspended/i, 'refused', 'installation-suspended'],
  [[403], any, /IP allow list/i, 'refused', 'ip-allow-list'],
  [[403], any, /SAML|single sign-on|\bSSO\b/i, 'refused', 'single-sign-on'],
  [[403], any, /archived/i, 'refused', 'repository-archived'],
  [[403], any, /locked for migration|migrating/i, 'refused', 'repository-locked'],
  [[403, 451], any, /access blocked|disabled by|DMCA/i, 'refused', 'repository-blocked'],
  [[409], any, /empty/i, 'refused', 'repository-empty'],
  [[403, 422], any, limitedTo, 'refused', 'interaction-limit'],
  [[403], conversation, /\block(?:ed)?\b/i, 'refused', 'conversation-locked'],
  [[403, 422], any, /\bblocked\b/i, 'refused', 'blocked'],
  [[403, 422], any, /\bspam/i, 'refused', 'taken-for-spam'],
  [[404, 410, 422], checks, any, 'gone', 'checks-gone'],
  [[410], any, /disabled/i, 'gone', 'issues-disabled'],
  [[410], any, any, 'gone', 'issue-deleted'],
  [byRule, any, restrictsCreation, 'refused', 'ruleset-creation'],
  [byRule, contents, /commit message/i, 'refused', 'ruleset-message'],
  [byRule, contents, /e-?mail/i, 'refused', 'ruleset-email'],
  [byRule, refs, restrictsName, 'refused', 'ruleset-name'],
  [byRule, any, /signature|\bsigned|\bsigning/i, 'refused', 'ruleset-signatures'],
  [byRule, contents, restrictsFiles, 'refused', 'ruleset-files'],
  [byRule, any, findsSecret, 'refused', 'push-protection'],
  [byRule, any, forbidsMerges, 'refused', 'ruleset-history'],
  [byRule, any, /merge queue/i, 'refused', 'branch-protected.queue'],
  [byRule, any, /through a pull request/i, 'refused', 'branch-protected.review'],
  [byRule, contents, waitsForChecks, 'refused', 'branch-protected.checks'],
  [byRule, contents, freezes, 'refused', 'branch-protected.frozen'],
  [byRule, any, protects, 'refused', 'branch-protected'],
  [byRule, contents, runsHook, 'refused', 'branch-protected.hook'],
  [[422], refs, namesNoRule, 'refused', 'branch-protected.unnamed'],
  [[403, 404, 422], minting, any, 'refused', 'installation-permissions'],
  [[403], checks, any, 'refused', 'permission-missing.checks'],
  [[403], checkRuns, any, 'refused', 'permission-missing.receipts'],
  [[403], pulls, any, 'refused', 'permission-missing.pulls'],
  [[403], readingContents, any, 'refused', 'permission-missing.code'],
  [[403], contents, any, 'refused', 'permission-missing.change'],
  [[403], people, any, 'refused', 'permission-missing.people'],
  [[403], conversation, any, 'refused', 'permission-missing.conversation'],
  [[403], any, any, 'refused', 'permission-missing'],
  [[404], pulls, any, 'gone', 'pull-requests-unavailable'],
  [[404], lineReplies, any, 'gone', 'line-comment-gone'],
  [[404], conversation, any, 'gone', 'conversation-gone'],
  [[404], any, any, 'gone', 'repository-unreachable'],
  [moved, conversation, any, 'gone', 'conversation-moved'],
  [moved, any, any, 'gone', 'repository-moved'],
  [[422], pulls, /\bfield base\b/, 'refused', 'base-branch-gone'],
  [[422], pulls, /no commits between/i, 'refused', 'nothing-to-merge'],
  [[422], pulls, any, 'refused', 'pull-request-refused'],
  [[413, 422], contents, any, 'refused', 'change-refused'],
  [[413, 422, 451], any, any, 'refused', 'request-refused'],
  [outage, any, any, 'transient', 'github-unavailable'],
];

/** GitHub’s documentation: at least one minute if a secondary limit names no time. */
const unnamedLimitMs = 60_000;

export function meaningOfAnswer(answer: GithubAnswer, now: number): Meaning {
  const limitMs = rateLimitMs(answer, now);
  if (limitMs !== null) return { kind: 'transient', waitMs: limitMs, reason: rateLimited(limitMs) };
  const call = belowRepository(answer.call);
  const said = `${answer.details} ${answer.fields.map((field) => `field ${field}`).join(' ')}`;
  // Without a row it is a status that GitHub documents for mistakes in a request.
  const [, , , kind, key] = rows.find(
    ([statuses, at, says]) => statuses.includes(answer.status) && at.test(call) && says.test(said),
  ) ?? [[], any, any, 'ours', 'request-invalid'];
  const reason = reasonFor(key, answer);
  if (kind === 'transient') return { kind, waitMs: askedMs(answer.headers.retryAfter, now), reason };
  const words = answer.details === '' ? '' : ` GitHub says: ${answer.details}`;
  return { kind, reason: { ...reason, message: `${reason.message}${words}` } };
}

/** `POST /api/v3/repos/acme/app/git/refs` → `POST /git/refs`. */
function belowRepository(call: string): string {
  return call.replace(/ (?:\/api\/v3)?(?:\/repos\/[^/]+\/[^/]+|\/repositories\/\d+)?/, ' ');
}

function reasonFor(key: AnswerKey, { call, status }: GithubAnswer): Reason {
  const [, owner = '', name = ''] = /\/repos\/([^/]+)\/([^/]+)/.exec(call) ?? [];
  const repository = name === '' ? 'this repository' : `${owner}/${name}`;
  return reasonOf(key, { repository, status: String(status) });
}

/**
 * Milliseconds that a rate limit asks to wait; null if the answer is no rate limit.
 * https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
 */
function rateLimitMs({ status, details, headers }: GithubAnswer, now: number): number | null {
  // GitHub’s word for its limit on creating content, which comes as a validation error.
  if (status === 422) return /submitted too quickly/i.test(details) ? unnamedLimitMs : null;
  if (status !== 403 && status !== 429) return null;
  const asked = askedMs(headers.retryAfter, now);
  if (asked !== null) return asked;
  if (headers.rateLimitRemaining === '0') {
    const reset = Number(headers.rateLimitReset ?? Number.NaN);
    return Number.isFinite(reset) ? Math.max(1000, reset * 1000 - now) : unnamedLimitMs;
  }
  const isLimit = status === 429 || /rate limit|abuse detection/i.test(details);
  return isLimit ? unnamedLimitMs : null;
}

/** `Retry-After`: seconds or a date. */
function askedMs(retryAfter: string | undefined, now: number): number | null {
  if (retryAfter === undefined || retryAfter.trim() === '') return null;
  const seconds = Number(retryAfter);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(retryAfter) - now;
  return Number.isFinite(ms) ? Math.max(1000, ms) : null;
}

function rateLimited(waitMs: number): Reason {
  const seconds = Math.ceil(waitMs / 1000);
  const time = seconds <= 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} minutes`;
  return reasonOf('github-rate-limited', { time });
}

/** What a broken connection looks like in workerd and in Node, in the order in which it counts. */
const causes: readonly (readonly [RegExp, string])[] = [
  [/ENOTFOUND|EAI_AGAIN|getaddrinfo|\bDNS\b|name (?:not|could not be) resol/i, 'name not found'],
  [/ECONNREFUSED|connection refused/i, 'connection refused'],
  [/ENETUNREACH|EHOSTUNREACH|network is unreachable|no route/i, 'no route to it'],
  [/certificate|CERT_|\bTLS\b|\bSSL\b/i, 'its certificate is not trusted'],
  [/time-?out|timed out|ETIMEDOUT/i, 'no answer in time'],
];

/** A call without an answer. `error`: what `fetch` threw. */
export function meaningOfBrokenCall(error: unknown): Meaning {
  const text = wordsOf(error);
  const why = causes.find(([pattern]) => pattern.test(text))?.[1] ?? 'the connection broke';
  return {
    kind: 'transient',
    waitMs: null,
    reason: reasonOf('github-unreachable', { why }),
  };
}

/** Name, code and message of an error and of its causes. */
function wordsOf(error: unknown, depth = 0): string {
  if (!(error instanceof Error) || depth > 4) return typeof error === 'string' ? error : '';
  const code: unknown = Reflect.get(error, 'code');
  const own = `${error.name} ${typeof code === 'string' ? code : ''} ${error.message}`;
  return `${own} ${wordsOf(error.cause, depth + 1)}`;
}
