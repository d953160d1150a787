/** Allows git fetch of the granted repositories over the smart protocol, and LFS downloads where granted. */
import type { Grant, GrantedRepository } from '../core/grant.ts';
import { hasBody, mediaType } from './http-rules.ts';
import type { RequestUrl } from './request-url.ts';
import { deny, type EgressVerdict, type RequestHead } from './verdict.ts';

/** GitHub's characters for owner and name. Without a percent sign, so that no encoded slash or dot passes. */
const gitPath = /^\/([A-Za-z0-9_-]+)\/([A-Za-z0-9._-]+)\/(.+)$/;
const lfsObject = /^info\/lfs\/objects\/([0-9a-f]{64})\/(\d{1,15})$/;
const lfsBatch = 'info/lfs/objects/batch';
const bodyOfGet = deny('http.body', 'a GET to GitHub may not have a body', 400);
const endpoints = ['info/refs', 'git-upload-pack', 'git-receive-pack'];

export function decideGithub(request: RequestHead, url: RequestUrl, grant: Grant): EgressVerdict {
  const [, owner, nameWithSuffix, endpoint] = gitPath.exec(url.path) ?? [];
  const isLfs = endpoint?.startsWith('info/lfs/') === true;
  if (owner === undefined || nameWithSuffix === undefined || endpoint === undefined)
    return deny('github.path', 'of GitHub only git fetch of the task’s repository is reachable');
  if (!isLfs && !endpoints.includes(endpoint))
    return deny('github.path', 'of GitHub only git fetch of the task’s repository is reachable');
  if (endpoint === 'git-receive-pack' || (!isLfs && url.query.includes('git-receive-pack')))
    return deny(
      'github.receive-pack',
      `pushing is refused (to ${owner}/${nameWithSuffix}): the sandbox cannot write to GitHub`,
    );
  const named = { owner, name: nameWithSuffix.replace(/\.git$/i, '') };
  const repository = grantedByName(isLfs ? grant.repositories : fetchable(grant), named);
  if (repository === undefined)
    return deny('github.repository', `${named.owner}/${named.name} is not this task’s repository`);
  if (isLfs) return decideLfs(request, url, endpoint, repository, grant);
  if (grant.phase !== 'clone' && grant.phase !== 'run')
    return deny('phase.closed', `GitHub is closed in the ${grant.phase} phase`);
  return endpoint === 'info/refs'
    ? decideInfoRefs(request, url, repository)
    : decideUploadPack(request, url, repository);
}

function decideInfoRefs(
  { method, header }: RequestHead,
  url: RequestUrl,
  repository: GrantedRepository,
): EgressVerdict {
  if (method !== 'GET') return deny('github.method', `${method} is not how a fetch starts`);
  // Without the parameter it is the dumb protocol, which reads files of the repository by name.
  if (url.query !== '?service=git-upload-pack')
    return deny('github.query', 'only service=git-upload-pack is allowed here');
  if (hasBody(header)) return bodyOfGet;
  return {
    kind: 'allow-github',
    rule: 'github.info-refs',
    repository,
    endpoint: 'info/refs?service=git-upload-pack',
  };
}

/** Clones of every kind and protocol are this one request; its body says what it asks for. */
function decideUploadPack(
  { method, header }: RequestHead,
  url: RequestUrl,
  repository: GrantedRepository,
): EgressVerdict {
  if (method !== 'POST') return deny('github.method', `${method} is not how git fetches`);
  if (url.query !== '') return deny('github.query', 'upload-pack takes no query');
  if (header('content-type') !== 'application/x-git-upload-pack-request')
    return deny('github.content-type', 'upload-pack takes only git’s own content type');
  const encoding = header('content-encoding');
  if (encoding !== null && encoding !== 'gzip' && encoding !== 'identity')
    return deny('github.encoding', 'git compresses with gzip and nothing else');
  return { kind: 'allow-github', rule: 'github.upload-pack', repository, endpoint: 'git-upload-pack' };
}

/** The paths are ours: the handler puts them into its answer to a batch. */
function decideLfs(
  { method, header }: RequestHead,
  url: RequestUrl,
  endpoint: string,
  repository: GrantedRepository,
  grant: Grant,
): EgressVerdict {
  const [, oid, size] = lfsObject.exec(endpoint) ?? [];
  if (endpoint !== lfsBatch && oid === undefined)
    return deny('github.lfs', 'of Git LFS only downloads are reachable');
  if (!grant.lfs) return deny('github.lfs-off', 'Git LFS is not turned on for this repository');
  if (grant.phase !== 'clone') return deny('phase.closed', `Git LFS is closed in the ${grant.phase} phase`);
  if (url.query !== '') return deny('github.query', 'Git LFS takes no query');
  if (oid !== undefined) {
    if (method !== 'GET') return deny('github.method', `${method} is not how an LFS object is read`);
    if (hasBody(header)) return bodyOfGet;
    return { kind: 'fetch-lfs-object', rule: 'github.lfs-object', repository, oid, size: Number(size) };
  }
  if (method !== 'POST') return deny('github.method', `${method} is not how LFS objects are asked for`);
  if (mediaType(header('content-type')) !== 'application/vnd.git-lfs+json')
    return deny('github.content-type', 'an LFS batch takes only git-lfs’s own content type');
  if ((header('content-encoding') ?? 'identity') !== 'identity')
    return deny('github.encoding', 'a compressed LFS batch cannot be inspected');
  return { kind: 'inspect-lfs', rule: 'github.lfs-batch', repository };
}

const fetchable = ({ repositories, alsoRead }: Grant): readonly GrantedRepository[] => [
  ...repositories,
  ...alsoRead,
];

/** Compares as GitHub does: owners and names ignore ASCII case. */
function grantedByName(
  repositories: readonly GrantedRepository[],
  { owner, name }: { readonly owner: string; readonly name: string },
): GrantedRepository | undefined {
  return repositories.find((granted) => sameName(granted.owner, owner) && sameName(granted.name, name));
}

const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
