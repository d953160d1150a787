/** Checks the private registries of an entry against each other and its lists of hosts, and resolves them. */
import type { Node } from 'jsonc-parser';
import type { Registry } from '../core/registry.ts';
import { githubPackages } from '../core/reserved-hosts.ts';
import { nodeAt, type Report } from './problem.ts';
import type { RepositorySettings } from './schema.ts';
import type { RegistrySettings } from './setup-schema.ts';

export const registriesOf = (registries: readonly RegistrySettings[] = []): readonly Registry[] =>
  registries.map(({ host, scheme, secret, pathPrefix = '', blobHosts = [] }) => ({
    host: host.toLowerCase(),
    pathPrefix: pathPrefix.replace(/\/$/, ''),
    scheme,
    secret: secret ?? null,
    blobHosts: blobHosts.map((name) => name.toLowerCase()),
  }));

/** `path`: of the entry. */
export function checkRegistries(
  root: Node,
  { setup, extraHosts = [] }: RepositorySettings,
  path: readonly PropertyKey[],
  report: Report,
): void {
  const registries = registriesOf(setup?.registries);
  const listed = new Set([...(setup?.hosts ?? []), ...extraHosts].map((host) => host.toLowerCase()));
  registries.forEach(({ host, scheme, secret, pathPrefix }, index) => {
    const at = [...path, 'setup', 'registries', index];
    const problem = (message: string, hint: string | null = null) =>
      report(nodeAt(root, at), at, message, hint);
    const isApp = scheme === 'github-app';
    if (isApp !== (secret === null))
      problem(isApp ? 'expected no "secret" with "github-app"' : 'expected "secret": the name of a setting');
    if (isApp && !(githubPackages.test(host) && !host.startsWith('pkg-')))
      problem(`expected a registry of GitHub, such as "npm.pkg.github.com", got "${host}"`);
    if (listed.has(host))
      problem(
        `"${host}" is a private registry and in "setup.hosts" or "extraHosts" as well`,
        'take it out of the list of hosts, which would open it without the credential',
      );
    const isSame = (other: Registry) => other.host === host && other.pathPrefix === pathPrefix;
    if (registries.findIndex(isSame) < index) problem(`"${host}${pathPrefix}" is listed twice`);
  });
}
