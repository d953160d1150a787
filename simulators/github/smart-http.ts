/** Serves `git http-backend` with permissions and backpressure; kills it when the client disconnects. */
import { execFileSync, spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { relative } from 'node:path';
import { pipeline } from 'node:stream';
import { decideAccess, identify, type Caller, type RequiredPermission } from './access.ts';
import { gitEnvironment } from './git-process.ts';
import { covers } from './installation-tokens.ts';
import type { Site } from './site.ts';
import type { Repository } from './store.ts';
import { workflowGuardVariable } from './workflow-guard.ts';

/** Deadline of one fetch or push, in ms. */
const transferDeadlineMs = 120_000;
/** Limit of a CGI header block, which normally has a few hundred bytes. */
const maxCgiHeadBytes = 16 * 1024;

export interface GitRequest {
  readonly owner: string;
  readonly name: string;
  /** `/info/refs`, `/git-upload-pack` or `/git-receive-pack`. */
  readonly action: string;
  readonly service: 'git-upload-pack' | 'git-receive-pack';
  readonly query: string;
}

/** Parses a git request; null if the URL is not one. */
export function parseGitRequest(url: string): GitRequest | null {
  const { pathname, searchParams, search } = new URL(url, 'http://simulator.invalid');
  const found = /^\/([^/]+)\/([^/]+?)(?:\.git)?(\/info\/refs|\/git-upload-pack|\/git-receive-pack)$/.exec(
    pathname,
  );
  if (found === null) return null;
  const [, owner = '', name = '', action = ''] = found;
  const service = action === '/info/refs' ? searchParams.get('service') : action.slice(1);
  // A request without a service uses the "dumb" protocol, which GitHub does not support.
  if (service !== 'git-upload-pack' && service !== 'git-receive-pack') return null;
  return { owner, name, action, service, query: search.slice(1) };
}

export function serveGit(
  site: Site,
  git: GitRequest,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const caller = identify(request.headers.authorization, site, Date.now());
  const need: RequiredPermission = {
    anyOf: ['contents'],
    level: git.service === 'git-receive-pack' ? 'write' : 'read',
  };
  const named = site.store.repository(git.owner, git.name);
  const access = decideAccess(caller, named ?? site.store.repositoryByFormerName(git.owner, git.name), need);
  switch (access.kind) {
    case 'allowed':
      if (named === null) return redirect(response, git, access.repository, site.url);
      runBackend(access.repository, git, caller, request, response, site.store.repositoriesDir);
      return;
    case 'unauthenticated':
      challenge(response);
      return;
    case 'hidden':
      // Ask anonymous callers for credentials, so that they cannot find out which repositories exist.
      if (caller.kind === 'anonymous') challenge(response);
      else refuse(response, 404, 'Repository not found.');
      return;
    case 'forbidden':
      refuse(
        response,
        403,
        need.level === 'write'
          ? `Permission to ${git.owner}/${git.name}.git denied to ${site.bot.login}.`
          : 'Write access to repository not granted.',
      );
  }
}

/** To the new name with `.git`. git itself follows only at the start of a fetch. */
function redirect(
  response: ServerResponse,
  git: GitRequest,
  { owner, name }: Repository,
  base: string,
): void {
  const query = git.query === '' ? '' : `?${git.query}`;
  const location = `${base}/${owner.login}/${name}.git${git.action}${query}`;
  response.writeHead(301, { 'content-type': 'text/html', location }).end();
}

function challenge(response: ServerResponse): void {
  response.setHeader('www-authenticate', 'Basic realm="GitHub"');
  refuse(
    response,
    401,
    'Invalid username or token. Password authentication is not supported for Git operations.',
  );
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${message}\n`);
}

let backendPath: string | null = null;
function backend(): string {
  backendPath ??= `${execFileSync('git', ['--exec-path'], { encoding: 'utf8', timeout: 10_000 }).trim()}/git-http-backend`;
  return backendPath;
}

function runBackend(
  repository: Repository,
  git: GitRequest,
  caller: Caller,
  request: IncomingMessage,
  response: ServerResponse,
  root: string,
): void {
  const mayChangeWorkflows =
    caller.kind === 'installation' && covers(caller.token.permissions, 'workflows', 'write');
  const header = (name: string): string => String(request.headers[name] ?? '');
  const child = spawn(backend(), [], {
    // A process group, so that upload-pack, which http-backend starts, is killed too.
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: gitEnvironment({
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_HTTP_MAX_REQUEST_BUFFER: '100M',
      GIT_PROTOCOL: header('git-protocol'),
      PATH_INFO: `/${relative(root, repository.git.gitDir)}${git.action}`,
      QUERY_STRING: git.query,
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: header('content-type'),
      CONTENT_LENGTH: header('content-length'),
      HTTP_CONTENT_ENCODING: header('content-encoding'),
      REMOTE_USER: caller.kind === 'installation' ? 'x-access-token' : '',
      REMOTE_ADDR: '127.0.0.1',
      [workflowGuardVariable]: mayChangeWorkflows ? 'allow' : 'refuse',
    }),
  });
  const end = (): void => {
    clearTimeout(deadline);
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // The process ended between the check and the signal.
    }
  };
  const deadline = setTimeout(() => {
    end();
    response.destroy();
  }, transferDeadlineMs);
  response.on('close', end);
  child.on('error', () => {
    clearTimeout(deadline);
    if (!response.headersSent) refuse(response, 500, 'git http-backend did not start');
    else response.destroy();
  });
  // A pipe error closes the response or ends the child; the handlers for those events clean up.
  pipeline(request, child.stdin, () => undefined);
  readHead(child.stdout, (head) => {
    if (head === null) {
      end();
      if (!response.destroyed) refuse(response, 500, 'git http-backend gave no answer');
      return;
    }
    // The client has already disconnected.
    if (response.destroyed) return end();
    response.writeHead(head.status, head.headers);
    pipeline(child.stdout, response, () => undefined);
  });
}

interface CgiHead {
  readonly status: number;
  readonly headers: Record<string, string>;
}

/** Reads the CGI header block and unshifts the rest. Calls `done` with null if there is no header block. */
function readHead(
  stream: NodeJS.ReadableStream & { unshift(chunk: Uint8Array): void },
  done: (head: CgiHead | null) => void,
): void {
  let read = Buffer.alloc(0);
  const finish = (head: CgiHead | null): void => {
    stream.off('data', take).off('end', ended);
    stream.pause();
    done(head);
  };
  const ended = (): void => finish(null);
  const take = (chunk: Buffer): void => {
    read = Buffer.concat([read, chunk]);
    const end = read.indexOf('\r\n\r\n');
    if (end < 0) {
      if (read.length > maxCgiHeadBytes) finish(null);
      return;
    }
    const rest = read.subarray(end + 4);
    stream.off('data', take).off('end', ended);
    stream.pause();
    if (rest.length > 0) stream.unshift(rest);
    done(parseHead(read.subarray(0, end).toString('latin1')));
  };
  stream.on('data', take).on('end', ended);
}

function parseHead(text: string): CgiHead {
  let status = 200;
  const headers: Record<string, string> = {};
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'status') status = Number.parseInt(value, 10);
    else headers[name] = value;
  }
  return { status, headers };
}
