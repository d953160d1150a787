/** The secret of a private registry can be no setting, no binding and nothing else of Airlock's own. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { registrySecret, registrySecretProblems, secretNameProblem } from '../src/core/registry.ts';
import { settingNames } from '../src/settings.ts';

const read = async (path: string): Promise<string> =>
  await readFile(new URL(`../${path}`, import.meta.url), 'utf8');
const [bindings, documented] = await Promise.all([read('src/compose/env.ts'), read('docs/configuration.md')]);
const namesIn = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, name = '']) => name);
const own = new Set([
  ...settingNames,
  ...namesIn(bindings, /readonly ([A-Z][A-Z_]+)\??:/g),
  ...namesIn(documented, /^\| `([A-Z][A-Z_]+)` /gm),
  'CLOUDFLARE_API_TOKEN',
]);

it('knows the names to try', () => {
  for (const name of ['GITHUB_APP_PRIVATE_KEY', 'SANDBOX_GATEWAY_TOKEN', 'SLACK_APP_TOKEN', 'PORT'])
    expect(own).toContain(name);
});

describe.each([...own])('%s', (name) => {
  it('cannot be the secret of a registry, also when a grant asks for it', () => {
    expect(secretNameProblem(name)).not.toBeNull();
    expect(registrySecret({ [name]: 'the value' }, name)).toBeNull();
  });
});

it.each(['NPM_TOKEN', 'NEXUS_LOGIN', 'PACKAGES_TOKEN', 'PYPI_2'])('%s can be', (name) => {
  expect(secretNameProblem(name)).toBeNull();
  expect(registrySecret({ [name]: 'the value' }, name)).toBe('the value');
  expect(registrySecret({ [name]: ' ' }, name)).toBeNull();
});

it('a problem with a value never repeats it', () => {
  const registry = {
    host: 'npm.acme.example',
    pathPrefix: '',
    scheme: 'basic',
    secret: 'NPM_TOKEN',
    blobHosts: [],
  } as const;
  for (const value of ['no-pair-of-words', 'maria:short', 'maria:pass word\n', 'x'.repeat(5000)]) {
    const problem = registrySecretProblems([registry], { NPM_TOKEN: value }).get('NPM_TOKEN');
    expect(problem).toBeDefined();
    expect(problem).not.toContain(value.slice(0, 8));
  }
  expect(registrySecretProblems([registry], {}).get('NPM_TOKEN')).toBe(
    'is missing: the credential of npm.acme.example',
  );
});
