/**
 * Sorts a receipt's denied requests into attempts to send or write, a reason for caution, and requests that
 * the configuration could allow: reads from GitHub, a well-known registry, or a host that the configuration
 * names.
 */
import type { Receipt } from './grant.ts';
import { isWithin, reservedAs } from './reserved-hosts.ts';

type DeniedRow = Receipt['denied'][number];
type DeniedRequest = Pick<DeniedRow, 'method' | 'host' | 'path' | 'reason'>;
/** Keys of a repository's entry in the configuration. */
export type OpeningKey = 'setup.hosts' | 'extraHosts' | 'alsoRead' | 'lfs';

export interface Attempts {
  /** Attempts to send or write elsewhere, as the receipt has them. */
  readonly caution: readonly DeniedRow[];
  /** Denied requests that have no row, so nobody knows what they were. */
  readonly unlisted: number;
  /** What the configuration could open, without repetitions. `what`: a host, or a path on GitHub. */
  readonly openable: readonly { readonly what: string; readonly key: OpeningKey }[];
}

/** The row that counts this request; undefined for one beyond the rows. */
export function deniedRow({ denied }: Receipt, request: DeniedRequest): DeniedRow | undefined {
  return denied.find(
    ({ method, host, path, reason }) =>
      method === request.method &&
      host === request.host &&
      path === request.path &&
      reason === request.reason,
  );
}

/** What people read about a run that needs caution. */
export const cautionClaim = 'This run tried to send or write where it may not. Airlock blocked it';
export const cautionAdvice =
  'Text that Codex read may have hijacked it. Review every line, and do not run the change before you have.';

const npmDomain = 'npmjs.org';
/** Where npm installs from by default. */
export const npmRegistry = `registry.${npmDomain}`;
const registries: ReadonlySet<string> = new Set([
  npmRegistry,
  'registry.yarnpkg.com',
  'jsr.io',
  'npm.jsr.io',
  'deno.land',
  'pypi.org',
  'files.pythonhosted.org',
  'conda.anaconda.org',
  'crates.io',
  'index.crates.io',
  'static.crates.io',
  'static.rust-lang.org',
  'proxy.golang.org',
  'sum.golang.org',
  'go.dev',
  'dl.google.com',
  'rubygems.org',
  'index.rubygems.org',
  'repo.maven.apache.org',
  'repo1.maven.org',
  'plugins.gradle.org',
  'services.gradle.org',
  'packagist.org',
  'repo.packagist.org',
  'api.nuget.org',
  'hex.pm',
  'repo.hex.pm',
  'pub.dev',
  'nodejs.org',
  'deb.debian.org',
  'security.debian.org',
  'archive.ubuntu.com',
  'security.ubuntu.com',
  'dl-cdn.alpinelinux.org',
  'registry-1.docker.io',
  'cdn.playwright.dev',
]);
const documentation: ReadonlySet<string> = new Set([
  'developer.mozilla.org',
  'docs.python.org',
  'docs.rs',
  'doc.rust-lang.org',
  'pkg.go.dev',
  'docs.npmjs.com',
  'docs.github.com',
  'docs.oracle.com',
  'docs.djangoproject.com',
  'docs.docker.com',
  'kubernetes.io',
  'react.dev',
  'nextjs.org',
  'vuejs.org',
  'angular.dev',
  'vite.dev',
  'www.typescriptlang.org',
  'learn.microsoft.com',
  'developers.cloudflare.com',
  'platform.openai.com',
  'en.cppreference.com',
  'ruby-doc.org',
  'www.php.net',
  'www.postgresql.org',
]);

export function attemptsIn({ denied, deniedTotal }: Receipt): Attempts {
  const sorted = denied.map((row) => ({ row, sort: sortOf(row) }));
  const openable = new Map<string, Attempts['openable'][number]>();
  for (const { row, sort } of sorted) {
    if (sort === 'caution' || sort === 'harmless') continue;
    const what = sort === 'alsoRead' || sort === 'lfs' ? `${row.host}${repositoryPath(row.path)}` : row.host;
    openable.set(`${what} ${sort}`, { what, key: sort });
  }
  return {
    caution: sorted.filter(({ sort }) => sort === 'caution').map(({ row }) => row),
    unlisted: Math.max(0, deniedTotal - denied.reduce((sum, { count }) => sum + count, 0)),
    openable: [...openable.values()],
  };
}

/** Whether people have to be warned about the run. */
export function needsCaution({ caution, unlisted }: Attempts): boolean {
  return caution.length > 0 || unlisted > 0;
}

function sortOf(row: DeniedRow): OpeningKey | 'caution' | 'harmless' {
  const { host, method, rule } = row;
  if (/^(?:budget|canary)\.|\.concurrency$|^grant\.none$/.test(rule)) return 'harmless';
  if (host === 'api.openai.com') return /^openai\.(?:path|remote|tool)$/.test(rule) ? 'caution' : 'harmless';
  if (host === 'github.com') return onGithub(row);
  const reads = method === 'GET' || method === 'HEAD';
  if (!reads) return isAudit(row) ? 'harmless' : 'caution';
  if (isWithin(host, 'github.com') || isWithin(host, 'githubusercontent.com')) return 'harmless';
  if (registries.has(host)) return 'setup.hosts';
  if (documentation.has(host)) return 'extraHosts';
  // The configuration names the host. Only the phase was wrong, or the host redirected elsewhere.
  if (rule === 'phase.closed' && reservedAs(host) === null) return 'extraHosts';
  return rule === 'host.redirect' || rule.startsWith('registry.') ? 'harmless' : 'caution';
}

function onGithub({ method, rule }: DeniedRow): ReturnType<typeof sortOf> {
  if (rule === 'github.receive-pack' || rule === 'github.lfs-upload') return 'caution';
  if (rule === 'github.lfs-off') return 'lfs';
  if (rule === 'github.repository') return 'alsoRead';
  // Pages and the API of the web site: a form that is sent there writes.
  return rule === 'github.path' && method !== 'GET' && method !== 'HEAD' ? 'caution' : 'harmless';
}

/** `npm install` reports what it installs to the registry, which answers with known vulnerabilities. */
function isAudit({ host, method, path, rule }: DeniedRow): boolean {
  // `host.method`: the configuration names the host, and a registry can lie below a path.
  const isRegistry = host === npmRegistry || rule === 'host.method';
  return isRegistry && method === 'POST' && /(?:^|\/)-\/npm\/v1\/security\//.test(path);
}

/** `/owner/name` of a path on GitHub. */
function repositoryPath(path: string): string {
  return /^\/[^/]*\/[^/]*/.exec(path)?.[0].replace(/\.git$/, '') ?? path;
}
