/**
 * Carries a GET or HEAD to a private registry with its credential, follows its redirects, and searches what
 * comes back for the credential. What cannot be searched is not passed on.
 */
import {
  credentialHeader,
  passwordOf,
  secretProblem,
  type Registry,
  type RegistryScheme,
} from '../core/registry.ts';
import { credentialSearch, type CredentialSearch } from './credential-search.ts';
import { credentialSieve } from './credential-sieve.ts';
import { decideEgress } from './decide.ts';
import {
  credentialEchoed,
  noPackageToken,
  noSecret,
  registryEncoded,
  registryRefused,
  statusFailure,
} from './failure.ts';
import { responseHeaders, registryRequestHeaders } from './headers.ts';
import { egressLimits } from './limits.ts';
import { decideRegistryRedirect } from './registry-rules.ts';
import { callUpstream, isRedirect, passOn, type Passage } from './upstream.ts';
import { deny, type Failure, type RegistryVerdict } from './verdict.ts';

interface Credential {
  readonly kind: 'credential';
  readonly header: string;
  readonly value: string;
  readonly search: CredentialSearch;
}

export async function forwardToRegistry(
  passage: Passage,
  { method, target, registry, rule }: RegistryVerdict,
  upstreamHosts: readonly string[],
): Promise<Response> {
  const { request, host, grant, refuse } = passage;
  const credential = await credentialOf(passage, registry);
  if (credential.kind === 'fail') return await refuse(credential);
  const { search } = credential;
  const decide = (url: string) => decideEgress({ method, url, header: () => null }, grant, upstreamHosts);
  let at = { target, isRegistry: true };
  for (let hops = 0; hops <= egressLimits.registryRedirects; hops += 1) {
    const headers = registryRequestHeaders(request.headers, at.isRegistry ? credential : null);
    const upstream = await callUpstream(passage, at.target, { method, headers, body: null });
    if (upstream.kind === 'fail') return await refuse(upstream);
    const { answer } = upstream;
    const problem = problemOf(answer, { ...at, host, registry, search });
    if (problem === null && !isRedirect(answer)) {
      const { status } = answer;
      const end = statusFailure(host, status, 'none') ?? ({ kind: 'pass', rule, status } as const);
      let echoed = false;
      const sieve = credentialSieve(search, () => (echoed = true));
      const cut = () => (echoed ? credentialEchoed(host, status) : null);
      return passOn(passage, answer, { end, sent: { sent: () => 0, cut }, sieve });
    }
    await answer.body?.cancel();
    if (problem !== null) return await refuse(problem);
    const named = answer.headers.get('location');
    const location = (named === null || named === '' ? null : URL.parse(named, at.target)?.href) ?? '';
    const next = decideRegistryRedirect(location, { registry, ...at }, decide, upstreamHosts);
    if (next === null)
      return await refuse(
        deny(
          'registry.redirect',
          `${host} answered with a redirect to where the configuration does not let it lead`,
        ),
      );
    at = next;
  }
  return await refuse(deny('registry.redirect', `${host} answered with more redirects than are followed`));
}

/** Why an answer is withheld, by its head. */
function problemOf(
  { status, headers }: Response,
  {
    isRegistry,
    host,
    registry,
    search,
  }: {
    readonly isRegistry: boolean;
    readonly host: string;
    readonly registry: Registry;
    readonly search: CredentialSearch;
  },
): Failure | null {
  const shown = [...responseHeaders(headers).values(), headers.get('location') ?? ''];
  if (shown.some((value) => search.finds(value))) return credentialEchoed(host, 502);
  // Its text can quote a part of the credential.
  if (isRegistry && (status === 401 || status === 403))
    return registryRefused(host, registry.secret ?? 'the App’s token', status);
  // It was asked for an answer as it is. The runtime unpacks two encodings; another could not be searched.
  const isReadable = /^(?:identity|gzip|br)$/i.test(headers.get('content-encoding') ?? 'identity');
  return isReadable ? null : registryEncoded(host);
}

async function credentialOf(
  { deps, grant }: Passage,
  { scheme, secret }: Registry,
): Promise<Credential | Failure> {
  if (secret === null) {
    const [repository] = grant.repositories;
    const token =
      repository === undefined ? null : await deps.packageToken(grant.taskId, repository).catch(() => null);
    return token === null ? noPackageToken : credential(scheme, token);
  }
  const value = deps.registrySecret(secret);
  return value === null || secretProblem(value, scheme) !== null
    ? noSecret(secret)
    : credential(scheme, value);
}

const credential = (scheme: RegistryScheme, secret: string): Credential => ({
  kind: 'credential',
  ...credentialHeader(scheme, secret),
  search: credentialSearch(scheme === 'basic' ? [secret, passwordOf(secret)] : [secret]),
});
