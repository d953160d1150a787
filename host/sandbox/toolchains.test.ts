import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { placeProblem, toolchainAt, type Places } from './toolchains.ts';

describe('the place of a toolchain', () => {
  const places: Places = {
    home: '/home/me',
    hidden: [
      { folder: '/home/me/airlock', what: 'the checkout of Airlock' },
      { folder: '/srv/state', what: 'the state folder' },
    ],
  };
  it.each([
    '/opt/go',
    '/usr/local/go',
    '/home/me/.cargo/bin',
    '/home/me/.local/share/mise/installs/go',
    '/home/me/airlock-tools',
    '/srv/statement',
    '/opt/node-22',
    '/nix/store/abc-go',
  ])('can be %s', (path) => {
    expect(placeProblem(path, places)).toBeNull();
  });

  it.each([
    ['/', /more than a toolchain/],
    ['/opt', /more than a toolchain/],
    ['/home', /more than a toolchain/],
    ['/home/me', /holds the home folder/],
    ['/home/me/airlock', /in the checkout of Airlock/],
    ['/home/me/airlock/node_modules/x', /in the checkout of Airlock/],
    ['/srv/state/sandboxes', /in the state folder/],
    ['/srv/state', /in the state folder/],
    ['/opt/node', /has its own \/opt\/node/],
    ['/opt/airlock/x', /has its own \/opt\/airlock/],
    ['/home/codex', /has its own \/home\/codex/],
    ['/workspace/go', /has its own \/workspace/],
    ['/etc/alternatives', /\/etc holds the state/],
    ['/var/lib/postgresql', /\/var holds the state/],
    ['/root/go', /\/root holds the state/],
    ['/proc/1/root', /\/proc holds the state/],
    ['/run/user/1000', /\/run holds the state/],
    ['/home/me/.ssh', /credentials are kept in \/home\/me\/\.ssh/],
    ['/home/me/.SSH/x', /credentials are kept/],
    ['/home/me/.config/gcloud', /credentials are kept in \/home\/me\/\.config\./],
    ['/home/me/.aws/cli', /credentials are kept/],
    ['/home/me/.local/share/keyrings', /credentials are kept/],
    ['/srv/backup/.gnupg/x', /credentials are kept/],
    ['/opt/a:b', /a PATH cannot name it/],
    ['/opt/a\nb', /a PATH cannot name it/],
  ])('cannot be %j', (path, why) => {
    expect(placeProblem(path, places)).toMatch(why);
  });

  it('can be below the home of root, for whom /root is that', () => {
    expect(placeProblem('/root/.cargo/bin', { ...places, home: '/root' })).toBeNull();
    expect(placeProblem('/root', { ...places, home: '/root' })).toMatch(/more than a toolchain|home/);
  });
});

describe('toolchainAt', () => {
  let home: string;
  let places: Places;
  beforeAll(() => {
    home = realpathSync(mkdtempSync(join(tmpdir(), 'airlock-toolchains-')));
    places = { home, hidden: [] };
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  let count = 0;
  /** A new folder with these files, by their content. */
  function folderWith(files: Readonly<Record<string, string>>): string {
    const folder = join(home, `t${++count}`);
    mkdirSync(folder);
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(folder, name, '..'), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    return folder;
  }
  const found = async (written: string, now = 0) =>
    await toolchainAt(written, places, now).then(
      (toolchain) => toolchain,
      (error: unknown) => String(error),
    );

  it('is at the same path in the sandbox, and one of ~ in its home as well, with its programs', async () => {
    const go = folderWith({ 'bin/go': '' });
    expect(await found(go)).toEqual({ source: go, targets: [go], bin: `${go}/bin` });
    const name = go.slice(home.length + 1);
    expect(await found(`~/${name}`)).toMatchObject({ source: go, targets: [go, `/home/codex/${name}`] });
    expect(await found(`~/${name}/bin`)).toMatchObject({ source: `${go}/bin`, bin: `${go}/bin` });
    expect(await found(folderWith({ 'lib/x': '' }))).toMatchObject({ bin: null });
  });

  it('may hold what a toolchain holds', async () => {
    const files = {
      'bin/java': '',
      'conf/settings.xml': '<settings/>',
      'lib/security/cacert.pem': '-----BEGIN CERTIFICATE-----\n',
      'lib/node_modules/npm/.npmrc': '',
      'pkg/mod/grpc/credentials/a.go': '',
    };
    const folder = folderWith(files);
    symlinkSync('/etc/shadow', join(folder, 'bin/link'));
    expect(await found(folder)).toMatchObject({ source: folder });
  });

  it.each([
    ['no folder', () => join(home, 'nothing'), /there is no such folder/],
    ['a file', () => join(folderWith({ go: '' }), 'go'), /it is not a folder/],
    ['a relative path', () => 'opt/go', /neither absolute/],
    ['a path that climbs', () => `${folderWith({})}/../x`, /neither absolute/],
    ['a home path that climbs', () => '~/../x', /neither absolute|no such folder/],
    [
      'a link',
      () => {
        const link = join(home, 'link');
        symlinkSync(folderWith({ 'bin/go': '' }), link);
        return link;
      },
      /has a link and leads to .*\. Name that folder/,
    ],
    ['a folder that everybody can write to', () => shared(folderWith({})), /every user can write/],
    [
      'a folder below one that everybody can write to',
      () => {
        const inner = folderWith({ 'go/bin/go': '' });
        shared(inner);
        return join(inner, 'go');
      },
      /every user can write to/,
    ],
    [
      'a folder with a token of Cargo',
      () => folderWith({ 'credentials.toml': '' }),
      /credentials\.toml can hold/,
    ],
    ['a folder with keys', () => folderWith({ '.ssh/config': '' }), /\.ssh can hold a credential/],
    ['a folder with a token of npm', () => folderWith({ 'a/.npmrc': '' }), /\.npmrc can hold/],
    [
      'a folder with a private key',
      () => folderWith({ 'etc/a.pem': '-----BEGIN RSA PRIVATE KEY-----\n' }),
      /a\.pem can hold/,
    ],
    [
      'a folder with a pipe',
      () => {
        const folder = folderWith({ 'a/b/c/d/e': '' });
        execFileSync('mkfifo', [join(folder, 'a/b/c/d/pipe')]);
        return folder;
      },
      /pipe is a socket, a pipe or a device/,
    ],
  ])('refuses %s', async (_, folder, why) => {
    expect(await found(folder())).toMatch(why);
  });

  it('refuses a folder with a socket, which a read-only mount keeps open', async () => {
    const folder = folderWith({});
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(folder, 's'), resolve));
    expect(await found(folder)).toMatch(/\/s is a socket/);
    server.close();
  });

  it.runIf(process.geteuid?.() === 0)('refuses a folder of another user', async () => {
    const folder = folderWith({});
    chownSync(folder, 1234, 1234);
    expect(await found(folder)).toMatch(/belongs to another user/);
  });

  it('looks at the contents again after a while', async () => {
    const folder = folderWith({ 'bin/go': '' });
    expect(await found(folder)).toMatchObject({ source: folder });
    writeFileSync(join(folder, '.netrc'), '');
    expect(await found(folder, 1000)).toMatchObject({ source: folder });
    expect(await found(folder, 3_600_000)).toMatch(/\.netrc can hold/);
  });
});

function shared(folder: string): string {
  chmodSync(folder, 0o777);
  return folder;
}
