/** The table of what an archive of the setup cache may hold. The rows are the specification. */
import { describe, expect, it } from 'vitest';
import { bytesOf, gzipped, tarOf, type TarSample } from '../../test/fixtures/tar.ts';
import { checkSetupArchive } from './setup-archive.ts';

const MiB = 1024 * 1024;
const clone = 'workspace/repo';
const npm = 'home/codex/.npm/_cacache';
const folder = (name: string, mode = 0o755): TarSample => ({ name: `${name}/`, type: '5', mode });
const file = (name: string, content = 'x'): TarSample => ({ name, content });
const link = (name: string, linkName: string): TarSample => ({ name, type: '2', linkName });
const hardLink = (name: string, linkName: string): TarSample => ({ name, type: '1', linkName });
const long = (name: string): readonly TarSample[] => [
  { name: '././@LongLink', type: 'L', content: `${name}\0` },
  file(name.slice(0, 100)),
];

async function verdictOn(
  archive: Uint8Array,
  { maxUnpackedBytes = 64 * MiB, pieceBytes = 1000, sliceBytes = 32 * 1024 } = {},
): Promise<string | null> {
  const check = checkSetupArchive({ maxUnpackedBytes, sliceBytes });
  for (let at = 0; at < archive.length; at += pieceBytes)
    await check.write(archive.subarray(at, at + pieceBytes));
  return await check.end();
}
const verdict = async (samples: readonly TarSample[]) => await verdictOn(await gzipped(tarOf(samples)));

describe('an allowed archive', () => {
  it.each<[string, readonly TarSample[]]>([
    ['nothing', []],
    ['a file below an ignored folder', [folder(`${clone}/node_modules`), file(`${clone}/node_modules/a.js`)]],
    ['a package folder', [folder(npm), file(`${npm}/index`)]],
    ['an agent file of a package', [file(`${clone}/node_modules/x/AGENTS.md`)]],
    ['a git folder of a package manager', [file('home/codex/.cargo/git/checkouts/x/.git/config')]],
    ['a folder twice', [folder(npm), folder(npm)]],
    ['a link to a sibling', [link(`${clone}/node_modules/.bin/x`, '../x/bin.js')]],
    ['a link to a folder of the clone', [link(`${clone}/node_modules/mine`, '../packages/mine')]],
    ['a link to the clone itself', [link(`${clone}/node_modules/self`, '..')]],
    ['a link below its own folder', [link(`${clone}/.venv/lib64`, 'lib')]],
    [
      'a hard link to a file before it',
      [file(`${clone}/target/a`), hardLink(`${clone}/target/b`, `${clone}/target/a`)],
    ],
    ['a GNU long name', long(`${clone}/node_modules/${'long/'.repeat(40)}name`)],
    ['a name that is not UTF-8', [file(`${clone}/node_modules/caf\xe9`)]],
  ])('can hold %s', async (_, samples) => {
    expect(await verdict(samples)).toBeNull();
  });
});

describe('an archive', () => {
  const outside = 'is outside the package folders and the clone';
  const settings = 'is read as settings by git or an agent';
  const linksOut = 'links out of its folder';
  it.each<[string, readonly TarSample[], string]>([
    [
      'instructions for Codex in the home folder',
      [file('home/codex/.codex/AGENTS.md')],
      `\`home/codex/.codex/AGENTS.md\` ${outside}`,
    ],
    ['settings of git', [file('home/codex/.gitconfig')], `\`home/codex/.gitconfig\` ${outside}`],
    ['settings of git elsewhere', [file('home/codex/.config/git/config')], outside],
    ['settings of a shell', [file('home/codex/.bashrc')], outside],
    ['settings of npm', [file('home/codex/.npmrc')], outside],
    ['the home folder', [folder('home/codex')], outside],
    ['a neighbour of a package folder', [file('home/codex/.npm/_cacache2/x')], outside],
    ['settings of cargo', [file('home/codex/.cargo/config.toml')], outside],
    ['a job of the task', [file('run/airlock/jobs/setup.json')], outside],
    ['the objects to compare with', [file('workspace/.airlock-base/index')], outside],
    ['a temporary file', [file('tmp/x')], outside],
    ['a neighbour of the clone', [file('workspace/repository/x')], outside],
    ['..', [file(`${npm}/../../.gitconfig`)], 'has `..` in its name'],
    ['.. at the end', [folder(`${clone}/node_modules/..`)], 'has `..` in its name'],
    ['.', [file(`${clone}/./AGENTS.md`)], 'is not a plain name'],
    ['two slashes', [file(`${clone}//AGENTS.md`)], 'is not a plain name'],
    ['a slash at the end of a file', [file(`${clone}/a/`)], 'is not a plain name'],
    ['no name', [file('')], 'is not a plain name'],
    ['an absolute name', [file(`/${clone}/node_modules/x`)], 'is an absolute name'],
    ['an absolute long name', long(`/${'etc/'.repeat(40)}`), 'is an absolute name'],
    ['the clone itself', [folder(clone)], 'is the clone itself'],
    ['a hook', [file(`${clone}/.git/hooks/post-checkout`)], 'belongs to git'],
    ['.git in another case', [file(`${clone}/.GIT/config`)], 'belongs to git'],
    ['a nested git folder', [file(`${clone}/vendor/x/.git/config`)], 'belongs to git'],
    ['instructions in the clone', [file(`${clone}/AGENTS.md`)], settings],
    ['instructions that override', [file(`${clone}/AGENTS.override.md`)], settings],
    ['settings of Codex in the clone', [file(`${clone}/.codex/config.toml`)], settings],
    ['skills', [file(`${clone}/.agents/skills/x/SKILL.md`)], settings],
    ['settings of git in the clone', [file(`${clone}/.gitattributes`)], settings],
    ['a link to the password file', [link(`${clone}/node_modules/x`, '/etc/passwd')], linksOut],
    ['a link out of the clone', [link(`${clone}/x`, '../../home/codex/.codex')], linksOut],
    ['a link out of a package folder', [link(`${npm}/x`, '../../.gitconfig')], linksOut],
    ['a link to another package folder', [link(`${npm}/x`, '../../.cargo/git/x')], linksOut],
    ['a link into .git', [link(`${clone}/node_modules/x`, '../.git/hooks')], linksOut],
    ['a link with .. behind a name', [link(`${clone}/a/b/c`, 'd/../../../../..')], linksOut],
    ['a link without a target', [link(`${clone}/x`, '')], linksOut],
    ['a package folder that is a link', [link(npm, 'x')], 'takes the place of a package folder'],
    ['a hard link out', [hardLink(`${clone}/x`, 'etc/passwd')], 'is a hard link to no file'],
    ['an absolute hard link', [hardLink(`${clone}/x`, '/etc/passwd')], 'is a hard link to no file'],
    [
      'a hard link to what is not there yet',
      [hardLink(`${clone}/x`, `${clone}/package.json`)],
      'is a hard link to no file',
    ],
    [
      'a hard link to a link',
      [link(`${clone}/a`, 'b'), hardLink(`${clone}/x`, `${clone}/a`)],
      'is a hard link to no file',
    ],
    [
      'a hard link into another folder',
      [file(`${npm}/a`), hardLink(`${clone}/x`, `${npm}/a`)],
      'is a hard link to no file',
    ],
    ['a device', [{ name: `${clone}/x`, type: '3' }], 'it has a device'],
    ['a fifo', [{ name: `${clone}/x`, type: '6' }], 'it has a fifo'],
    ['a set-user-id file', [{ ...file(`${clone}/x`), mode: 0o4755 }], 'has a set-user-id'],
    ['a set-group-id file', [{ ...file(`${clone}/x`), mode: 0o2755 }], 'has a set-user-id'],
    ['a sticky folder', [folder(`${clone}/x`, 0o1777)], 'has a set-user-id'],
    [
      'a folder that cannot be deleted',
      [folder(`${clone}/x`, 0o555)],
      'is a folder that its owner cannot change',
    ],
    ['a file twice', [file(`${clone}/x`), file(`${clone}/x`)], 'occurs twice'],
    ['a link where a folder was', [file(`${clone}/a/b`), link(`${clone}/a`, 'c')], 'occurs twice'],
    ['a folder where a link was', [link(`${clone}/a`, 'c'), folder(`${clone}/a`)], 'occurs twice'],
    ['a file below a link', [link(`${clone}/a`, '.'), file(`${clone}/a/b`)], 'is below a file or a link'],
    ['a file below a file', [file(`${clone}/a`), file(`${clone}/a/b/c`)], 'is below a file or a link'],
    ['a deep name', long(`${clone}/${'d/'.repeat(120)}x`), 'is too deep'],
    ['a very long name', long(`${clone}/${'d'.repeat(5000)}`), 'is too long'],
    ['a name with markup', [file('@mona `x` <www.x>')], '`?mona??x???www.x?` is outside'],
    [
      'a large file',
      [{ ...file(`${clone}/x`), sizeField: '17777777777\0' }],
      'it has more than 64 MiB unpacked',
    ],
  ])('is refused with %s', async (_, samples, reason) => {
    expect(await verdict(samples)).toContain(reason);
  });

  it('is refused with more entries than a setup makes', async () => {
    const one = tarOf([folder(npm)]).subarray(0, 512);
    const many = new Uint8Array(250_001 * 512 + 1024);
    for (let at = 0; at < 250_001 * 512; at += 512) many.set(one, at);
    const large = { maxUnpackedBytes: 1024 * MiB, pieceBytes: MiB, sliceBytes: MiB };
    expect(await verdictOn(await gzipped(many), large)).toBe('it has more than 250000 entries');
  });

  it('is refused with zeros that unpack to more than the limit', async () => {
    const zeros = bytesOf(tarOf([]), new Uint8Array(4 * MiB));
    expect(await verdictOn(await gzipped(zeros), { maxUnpackedBytes: 4 * MiB })).toBe(
      'it has more than 4 MiB unpacked',
    );
  });

  it.each<[string, (good: Uint8Array) => Uint8Array]>([
    ['no compression', () => tarOf([])],
    ['nothing in it', () => new Uint8Array()],
    ['its end cut off', (good) => good.subarray(0, good.length - 10)],
    ['garbage behind it', (good) => bytesOf(good, 'garbage')],
  ])('is refused with %s', async (_, damage) => {
    expect(await verdictOn(damage(await gzipped(tarOf([file(`${npm}/x`)]))))).toMatch(/compressed|cut off/);
  });

  it('is refused with a second archive behind it', async () => {
    const good = await gzipped(tarOf([file(`${npm}/x`)]));
    const bad = await gzipped(tarOf([file('home/codex/.gitconfig')]));
    expect(await verdictOn(bytesOf(good, bad))).not.toBeNull();
  });
});
