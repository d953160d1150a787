/**
 * Every failure of an allowed request without the sandbox's doing: whose fault it is, and what people and the
 * sandbox read. It quotes nothing. Towards Codex a 400 means "do not retry"; a 5xx that a retry can help.
 */
import type { Fault } from '../core/grant.ts';
import { egressLimits } from './limits.ts';
import type { Failure } from './verdict.ts';

const fail = (fault: Fault, rule: string, status: number, reason: string): Failure => ({
  kind: 'fail',
  fault,
  rule,
  status,
  reason,
});

/** The record did not answer. */
export const grantUnreadable = fail(
  'ours',
  'grant.unreadable',
  502,
  'the grant of this sandbox could not be read',
);
/** The App's key, its installation or GitHub's API. */
export const noReadToken = fail(
  'ours',
  'github.no-token',
  502,
  'no read token for the repository could be obtained',
);
/** A defect, or a record that does not answer any more. */
export const internalFailure = fail('ours', 'internal', 502, 'the request could not be carried out');

/** workerd answered in place of the egress handler: it refused the request, or the Worker broke. */
export const answeredByOther = fail(
  'ours',
  'gateway.unhandled',
  503,
  'the request was answered by something other than the egress handler',
);

/** The answer itself is withheld: OpenAI quotes a part of the key in it. */
export const keyRefused = fail(
  'ours',
  'openai.unauthorized',
  400,
  'OpenAI refused the API key that this Airlock is configured with',
);
export const openaiRedirect = fail(
  'upstream',
  'openai.redirect',
  400,
  'OpenAI answered with a redirect, which is not followed',
);
export const githubRedirect = (status: number): Failure =>
  fail(
    'upstream',
    'github.redirect',
    status,
    'GitHub answered with a redirect, which is not followed: the repository may have been renamed',
  );
export const lfsUpstream = fail(
  'upstream',
  'github.lfs-upstream',
  502,
  'GitHub did not answer the LFS request as it should',
);

/** As 403, because package managers retry an error of the server for a minute. */
export const noSecret = (name: string): Failure =>
  fail('ours', 'registry.no-secret', 403, `the secret ${name} of a private registry is missing or malformed`);
export const noPackageToken = fail(
  'ours',
  'registry.no-token',
  403,
  'no token for GitHub Packages could be obtained: the App needs the permission packages: read',
);
/** The answer itself is withheld: it can quote a part of the credential. */
export const registryRefused = (host: string, secret: string, status: number): Failure =>
  fail('ours', 'registry.unauthorized', status, `${host} refused the credential ${secret}`);
export const credentialEchoed = (host: string, status: number): Failure =>
  fail(
    'upstream',
    'registry.echo',
    status,
    `${host} sent the credential of the request back, so its answer was withheld`,
  );
export const registryEncoded = (host: string): Failure =>
  fail(
    'upstream',
    'registry.encoded',
    502,
    `${host} answered in an encoding in which its answer cannot be searched for the credential`,
  );

export const unreachable = (host: string): Failure =>
  fail('upstream', 'upstream.unreachable', 502, `${host} could not be reached`);
export const timedOut = (host: string): Failure =>
  fail(
    'upstream',
    'upstream.timeout',
    504,
    `${host} did not answer within ${egressLimits.upstreamHeadersMs / 1000} seconds`,
  );
export const closedEarly = (host: string, status: number): Failure =>
  fail('upstream', 'upstream.broken', status, `${host} closed the connection in the middle of its answer`);
export const fellSilent = (host: string, status: number): Failure =>
  fail('upstream', 'upstream.idle', status, `${host} fell silent in the middle of its answer`);

/** Which of our credentials an upstream was sent. */
export type Credential = 'github' | 'openai' | 'none';

/** Null for an ordinary answer. A host without our credential may well answer 403 or 404. */
export function statusFailure(host: string, status: number, credential: Credential): Failure | null {
  if (credential !== 'none' && (status === 401 || status === 403))
    return credential === 'openai'
      ? keyRefused
      : fail('ours', 'github.unauthorized', status, 'GitHub refused the read token of this task');
  const isGone = credential !== 'none' && (status === 404 || status === 410);
  if (status >= 500 || status === 408 || status === 429 || isGone)
    return fail('upstream', 'upstream.status', status, `${host} answered ${status}`);
  return null;
}
