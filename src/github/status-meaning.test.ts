/** GitHub's answers, word for word where its documentation or a bug report has them, and what they mean. */
import { describe, expect, it } from 'vitest';
import { reasonOf, reasonText } from '../core/reason.ts';
import { parseJson } from '../lib/parse-json.ts';
import { meaningOf, type Meaning } from '../core/ports/upstream-error.ts';
import { githubClient } from './client.ts';

const now = Date.parse('2026-11-30T12:00:00Z');
const repo = '/repos/acme/app';

/** The meaning of the error that a call fails with. */
async function meaningAt(call: string, answer: () => Promise<Response>): Promise<Meaning | null> {
  const api = { apiUrl: 'https://api.github.com', fetch: answer, now: () => now, retryDelaysMs: [] };
  return await githubClient(api, async () => 'a token')
    .request(call)
    .then(
      () => null,
      (error: unknown) => meaningOf(error),
    );
}

function answerOf(status: number, message: string, more: object, headers = {}): Response {
  return Response.json({ message, documentation_url: '', ...more }, { status, headers });
}

describe('a rate limit', () => {
  const inAMinute = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(now / 1000 + 1800) };
  const secondary =
    'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.';
  const calls = [
    `POST ${repo}/issues/7/comments`,
    `PATCH ${repo}/issues/comments/5`,
    `GET ${repo}/issues/7/comments`,
    `POST ${repo}/git/blobs`,
    `POST ${repo}/git/trees`,
    `POST ${repo}/git/commits`,
    `POST ${repo}/git/refs`,
    `PATCH ${repo}/git/refs/heads/x`,
    `POST ${repo}/pulls`,
    `GET ${repo}/collaborators/mona/permission`,
    `GET ${repo}/contents/README.md`,
    `GET ${repo}/installation`,
    'POST /app/installations/1/access_tokens',
  ];

  it.each(
    calls.flatMap((call) =>
      (
        [
          [403, secondary, { 'retry-after': '60' }, 60_000],
          [429, secondary, { 'retry-after': '5' }, 5000],
          [429, 'Too many requests', { 'retry-after': 'Mon, 30 Nov 2026 12:02:00 GMT' }, 120_000],
          [403, 'API rate limit exceeded for installation ID 1.', inAMinute, 1_800_000],
          [403, secondary, {}, 60_000],
          [403, 'You have triggered an abuse detection mechanism.', {}, 60_000],
          [422, 'Validation Failed: was submitted too quickly', {}, 60_000],
          [429, '', {}, 60_000],
        ] as const
      ).map(([status, words, headers, waitMs]) => ({ call, status, words, headers, waitMs })),
    ),
  )(
    'at $call is waited out for $waitMs ms: $status $words',
    async ({ call, status, words, headers, waitMs }) => {
      const meaning = await meaningAt(call, async () => answerOf(status, words, {}, headers));
      expect(meaning).toMatchObject({ kind: 'transient', waitMs, reason: { code: 'github-rate-limited' } });
    },
  );
});

/** Status and call, GitHub’s words or its `errors`, what that means, and a part of its sentence. */
const answers = String.raw`
401 GET /installation | A JSON web token could not be decoded | ours app-refused
401 POST /access_tokens | Bad credentials | ours app-refused
401 GET /git/ref/heads/main | Bad credentials | transient token-refused
403 POST /access_tokens | This installation has been suspended | refused installation-suspended
403 POST /issues/7/comments | This installation has been suspended | refused installation-suspended
403 GET /issues/7 | the acme organization has an IP allow list enabled, and | refused ip-allow-list
403 GET / | Resource protected by organization SAML enforcement. | refused single-sign-on
403 POST /git/refs | Repository was archived so is read-only. | refused repository-archived
403 PATCH /issues/comments/5 | Repository was archived so is read-only. | refused repository-archived
403 POST /git/blobs | Repository has been locked for migration. | refused repository-locked
403 GET / | Repository access blocked | refused repository-blocked
451 GET / | Repository access blocked | refused repository-blocked
409 GET /git/ref/heads/main | Git Repository is empty. | refused repository-empty
409 POST /git/trees | Git Repository is empty. | refused repository-empty
409 POST /git/refs | Conflict | transient github-unavailable
403 POST /issues/7/comments | Unable to create comment because issue is locked. | refused conversation-locked
403 POST /issues/7/comments | Interactions have been restricted to collaborators only. | refused interaction-limit
403 POST /pulls | Interactions are limited to collaborators | refused interaction-limit
422 POST /issues/7/comments | [{"code":"unprocessable","message":"User is blocked"}] | refused blocked
403 POST /issues/7/reactions | User is blocked | refused blocked
422 POST /issues/7/comments | [{"code":"custom","message":"body was flagged as spam"}] | refused taken-for-spam
410 GET /issues/7 | This issue was deleted | gone issue-deleted
410 POST /issues/7/comments | Issues are disabled for this repo | gone issues-disabled
404 GET /issues/7/comments | Not Found | gone conversation-gone
404 POST /pulls/7/comments/5/replies | Not Found | gone line-comment-gone
403 POST /pulls/7/comments/5/replies | Unable to create comment because issue is locked. | refused conversation-locked
422 POST /pulls/7/comments/5/replies | Validation Failed | refused request-refused
404 GET /pulls/7/comments | Not Found | gone conversation-gone
404 PATCH /pulls/comments/5 | Not Found | gone conversation-gone
403 DELETE /pulls/comments/5 | Resource not accessible by integration | refused permission-missing
404 POST /pulls | Not Found | gone pull-requests-unavailable
404 GET /pulls | Not Found | gone pull-requests-unavailable
404 POST /git/trees | Not Found | gone repository-unreachable
301 GET /issues/7 | Moved Permanently | gone conversation-moved
307 POST /git/trees | Moved | gone repository-moved
404 POST /access_tokens | Not Found | refused installation-permissions
422 POST /access_tokens | The permissions requested are not granted | refused installation-permissions
403 POST /pulls | Resource not accessible by integration | refused permission-missing
403 GET /commits/abc/check-runs | Resource not accessible by integration | refused permission-missing
403 GET /commits/abc/status | Resource not accessible by integration | refused permission-missing
403 GET /actions/jobs/5/logs | Must have admin rights to Repository. | refused permission-missing
404 GET /actions/jobs/5/logs | Not Found | gone checks-gone
410 GET /actions/jobs/5/logs | Gone | gone checks-gone
422 GET /commits/abc/check-runs | No commit found for SHA: abc | gone checks-gone
403 POST /check-runs | Resource not accessible by integration | refused permission-missing | check runs
403 PATCH /check-runs/7 | Invalid app_id 9 - check run can only be modified by its App | refused permission-missing
422 POST /check-runs | No commit found for SHA: abc | refused request-refused
403 GET /issues/7/comments | Resource not accessible by integration | refused permission-missing
403 GET /collaborators/mona/permission | Resource not accessible by integration | refused permission-missing
422 POST /git/refs | Cannot create ref due to creations being restricted. | refused ruleset-creation
422 POST /git/refs | [[{"errors":[{"message":"Cannot create ref due to creations being restricted."}]}]] | refused ruleset-creation
422 POST /git/refs | Repository rule violations found\n\nCannot create ref due to creations being restricted.\n\n | refused ruleset-creation
422 POST /git/refs | [{"resource":"Reference","code":"custom","field":"pre_receive","message":"pre_receive Repository rule violations found\n\nCannot create ref due to creations being restricted.\n\n"}] | refused ruleset-creation
409 POST /git/refs | Cannot create ref due to creations being restricted | refused ruleset-creation
422 POST /git/refs | Branch name must match a given regex pattern: ^feature/ | refused ruleset-name
422 POST /git/refs | Branch name must start with: release/ | refused ruleset-name
422 POST /git/refs | Repository rule violations found\n\nCommit message must match a given regex pattern: ^feat\n\nFound 1 violation:\n\n0123abc | refused ruleset-message
422 PATCH /git/refs/heads/x | Commit message must start with: PROJ- | refused ruleset-message
422 POST /git/refs | Repository rule violations found\n\nCommits must have verified signatures.\n\nFound 1 violation:\n\n0123abc | refused ruleset-signatures
409 POST /merges | Commits must have verified signatures. | refused ruleset-signatures
422 POST /git/refs | ["Commit author email must match pattern @acme.example"] | refused ruleset-email
422 POST /git/refs | Committer email must end with: @acme.example | refused ruleset-email
422 POST /git/refs | File size exceeds limit of 1 MB | refused ruleset-files
422 POST /git/refs | File path is restricted: secrets/** | refused ruleset-files
422 POST /git/blobs | Repository rule violations found\n\nGITHUB PUSH PROTECTION\n\nFile path is restricted\n\nFound 1 violation:\n\n.github/x.yml | refused ruleset-files
422 POST /git/trees | File extension is restricted | refused ruleset-files
422 POST /git/refs | File path length exceeds 40 characters | refused ruleset-files
422 PATCH /git/refs/heads/main | This branch must not contain merge commits. | refused ruleset-history
409 POST /merges | This branch must not contain merge commits. | refused ruleset-history
422 PATCH /git/refs/heads/main | Changes must be made through a pull request. | refused branch-protected | only through a pull request
422 PATCH /git/refs/heads/main | Changes must be made through the merge queue | refused branch-protected | only from its merge queue
405 PATCH /git/refs/heads/main | Changes must be made through the merge queue. | refused branch-protected
422 PATCH /git/refs/heads/main | Repository rule violations found\n\nCannot update this protected ref.\n\n | refused branch-protected
422 PATCH /git/refs/heads/main | Cannot force-push to this branch | refused branch-protected
409 PATCH /git/refs/heads/main | Cannot change this locked branch | refused branch-protected | is locked, or only certain people
403 PATCH /git/refs/heads/main | Protected branch update failed for refs/heads/main. | refused branch-protected | does not let the GitHub App push this
422 PATCH /git/refs/heads/main | You're not authorized to push to this branch. Visit https://docs.github.com/articles/about-protected-branches/ for more information. | refused branch-protected
409 POST /git/refs | Repository rule violations found: Required status check "ci" | refused branch-protected
422 POST /git/refs | Required status check "ci" is expected. | refused branch-protected | Do not require status checks on creation
422 PATCH /git/refs/heads/main | 6 of 6 required status checks are expected. | refused branch-protected
422 POST /git/refs | 2 of 2 required status checks have not succeeded: 1 expected. | refused branch-protected
422 POST /git/refs | Code scanning is waiting for results from CodeQL for the commit 8debc43. | refused branch-protected | demands passed checks
422 POST /git/blobs | Secret scanning push protection found a secret | refused push-protection
422 POST /git/blobs | Repository rule violations found\n\nSecret detected in content | refused push-protection
409 POST /git/trees | Repository rule violations found\n\nSecret detected in content | refused push-protection
422 POST /git/refs | Push cannot contain secrets | refused push-protection
422 POST /git/refs | pre-receive hook declined: no ticket | refused branch-protected | pre-receive hook of the server
422 POST /git/refs | [{"code":"custom","field":"pre_receive","message":"pre_receive no ticket"}] | refused branch-protected | pre-receive hook of the server
422 PATCH /git/refs/heads/main | Reference cannot be updated | refused branch-protected | names no rule
422 POST /git/refs | Reference update failed | refused branch-protected
422 POST /git/refs | Update is not a fast forward | refused change-refused
422 POST /pulls | [{"resource":"PullRequest","field":"base","code":"invalid"}] | refused base-branch-gone
422 POST /pulls | [{"message":"No commits between main and x"}] | refused nothing-to-merge
422 POST /pulls | [{"field":"body","code":"too_long"}] | refused pull-request-refused
422 POST /issues/7/comments | Validation Failed | refused request-refused
400 GET / | Problems parsing JSON | ours request-invalid
500 GET / | Server Error | transient github-unavailable
503 POST /git/trees | No server is currently available | transient github-unavailable
598 GET / | Unknown | transient github-unavailable
`;

describe('an answer', () => {
  const rows = answers
    .trim()
    .split('\n')
    .map((row) => row.split(/ \| ?/));
  it.each(rows)('%s, “%s”, is %s', async (call = '', words = '', expected, says = '') => {
    const [status = '', method = '', path = ''] = call.split(' ');
    const at =
      path === '/access_tokens' ? `/app/installations/1${path}` : `${repo}${path.replace(/^\/$/, '')}`;
    const isList = words.startsWith('[');
    const answer = async () =>
      answerOf(
        Number(status),
        isList ? 'Validation Failed' : words.replaceAll(String.raw`\n`, '\n'),
        isList ? { errors: parseJson(words) } : {},
      );
    const meaning = await meaningAt(`${method} ${at}`, answer);
    expect(`${meaning?.kind} ${meaning?.reason.code}`).toBe(expected);
    const text = meaning === null ? '' : reasonText(meaning.reason);
    expect(text).not.toMatch(/[{}\n]/);
    expect(text).toContain(says);
  });

  it('is judged by the path below the repository, whatever that is called', async () => {
    const refused = async () => answerOf(403, 'Resource not accessible by integration', {});
    const meaning = await meaningAt('POST /repos/acme/git/pulls', refused);
    expect(meaning?.reason.message).toContain('may not open pull requests in acme/git.');
  });

  it('names the repository, the remedy and GitHub’s own words', async () => {
    const archived = async () => answerOf(403, 'Repository was archived so is read-only.', {});
    expect(await meaningAt(`POST ${repo}/git/refs`, archived)).toMatchObject({
      reason: {
        message:
          'acme/app is archived, so GitHub takes no change and no comment there. GitHub says: Repository was archived so is read-only.',
        next: 'Unarchive it, then retry.',
      },
    });
  });

  it('names on one line what a ruleset and push protection found', async () => {
    const message = 'Repository rule violations found\n\nSecret detected in content';
    const found = [{ placeholder_id: 'AAAA', token_type: 'GITHUB_APP_TOKEN' }];
    const metadata = { secret_scanning: { bypass_placeholders: found } };
    const refused = async () => answerOf(422, message, { metadata });
    const meaning = await meaningAt(`POST ${repo}/git/blobs`, refused);
    expect(meaning?.reason.message).toMatch(
      / GitHub says: Repository rule violations found: Secret detected in content; GITHUB_APP_TOKEN$/,
    );
  });

  it('of 503 with Retry-After is waited out as long as it says', async () => {
    const away = async () => answerOf(503, 'Maintenance', {}, { 'retry-after': '120' });
    expect(await meaningAt(`POST ${repo}/pulls`, away)).toMatchObject({ kind: 'transient', waitMs: 120_000 });
  });
});

describe('a call without an answer', () => {
  const node = (code: string, message = code) =>
    new TypeError('fetch failed', { cause: Object.assign(new Error(message), { code }) });
  it.each<[Error, string]>([
    [node('ENOTFOUND', 'getaddrinfo ENOTFOUND api.github.com'), 'name not found'],
    [node('EAI_AGAIN'), 'name not found'],
    [new Error('DNS lookup failed.'), 'name not found'],
    [node('ECONNREFUSED'), 'connection refused'],
    [node('EHOSTUNREACH'), 'no route to it'],
    [node('DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate'), 'its certificate is not trusted'],
    [new DOMException('The operation was aborted due to timeout', 'TimeoutError'), 'no answer in time'],
    [node('ECONNRESET'), 'the connection broke'],
    [new Error('Network connection lost.'), 'the connection broke'],
  ])('(%s) is transient: GitHub could not be reached (%s)', async (error, why) => {
    const broken = async () => {
      throw error;
    };
    expect(await meaningAt(`GET ${repo}`, broken)).toEqual({
      kind: 'transient',
      waitMs: null,
      reason: reasonOf('github-unreachable', { why }),
    });
  });
});
