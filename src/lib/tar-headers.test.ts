import { describe, expect, it } from 'vitest';
import { bytesOf, tarHeader, tarOf } from '../../test/fixtures/tar.ts';
import { readTarHeaders, TarProblem, type TarEntry } from './tar-headers.ts';

/** The entries of an archive, or what is wrong with it. Feeds it in pieces of `step` bytes. */
function read(archive: Uint8Array, step = 700): readonly TarEntry[] | string {
  const entries: TarEntry[] = [];
  const reader = readTarHeaders((entry) => entries.push(entry));
  try {
    for (let at = 0; at < archive.length; at += step) reader.write(archive.subarray(at, at + step));
    reader.end();
    return entries;
  } catch (error) {
    if (error instanceof TarProblem) return error.message;
    throw error;
  }
}

const long = `${'d'.repeat(150)}/${'f'.repeat(150)}`;
const pax = (...records: readonly string[]) =>
  records.map((record) => {
    const bare = record.length + 2;
    return `${bare + (bare + 2 < 100 ? (bare + 1 < 10 ? 1 : 2) : 3)} ${record}\n`;
  });

describe('the entries of an archive', () => {
  const archive = tarOf([
    { name: 'a/', type: '5', mode: 0o755 },
    { name: 'a/file', content: 'x'.repeat(1025), mode: 0o4644 },
    { name: 'a/link', type: '2', linkName: '../b' },
    { name: 'hard', type: '1', linkName: 'a/file' },
    { name: 'caf\xe9', content: '' },
  ]);

  it.each([1, 511, 512, 513, 100_000])('are read from pieces of %i bytes', (step) => {
    expect(read(archive, step)).toEqual([
      { name: 'a/', type: 'folder', mode: 0o755, size: 0, linkName: '' },
      { name: 'a/file', type: 'file', mode: 0o4644, size: 1025, linkName: '' },
      { name: 'a/link', type: 'symlink', mode: 0o644, size: 0, linkName: '../b' },
      { name: 'hard', type: 'hard-link', mode: 0o644, size: 0, linkName: 'a/file' },
      { name: 'caf\xe9', type: 'file', mode: 0o644, size: 0, linkName: '' },
    ]);
  });

  it.each<[string, Uint8Array, Partial<TarEntry>]>([
    [
      'GNU long names',
      tarOf([
        { name: '././@LongLink', type: 'L', content: `${long}\0` },
        { name: '././@LongLink', type: 'K', content: `../${long}\0` },
        { name: long.slice(0, 100), type: '2', linkName: 'cut' },
      ]),
      { name: long, linkName: `../${long}` },
    ],
    [
      'pax names',
      tarOf([
        { name: 'PaxHeaders/x', type: 'x', content: pax(`path=${long}`, 'mtime=1.5').join('') },
        { name: 'cut', content: 'x' },
      ]),
      { name: long },
    ],
    ['a POSIX prefix', tarOf([{ name: 'file', prefix: 'a/b', posix: true }]), { name: 'a/b/file' }],
    ['no prefix where GNU keeps times', tarOf([{ name: 'file', prefix: 'a/b' }]), { name: 'file' }],
    ['a number for a file of old tars', tarOf([{ name: 'file', type: '\0' }]), { type: 'file' }],
  ])('have %s', (_, archive, expected) => {
    expect(read(archive)).toMatchObject([expected]);
  });
});

describe('an archive that two readers could read differently', () => {
  const file = { name: 'file', content: 'x' };
  const header = tarHeader(file);
  const changed = (at: number, byte: number) =>
    Uint8Array.from(header, (is, index) => (index === at ? byte : is));
  const end = new Uint8Array(1024);
  it.each<[string, Uint8Array, string]>([
    ['is empty', new Uint8Array(), 'it is cut off, or is no tar archive'],
    ['is text', bytesOf('hello '.repeat(200)), 'it is no tar archive'],
    ['ends in a file', tarOf([file]).subarray(0, 800), 'it is cut off, or is no tar archive'],
    ['has no end', tarOf([file]).subarray(0, 1024), 'it is cut off, or is no tar archive'],
    ['goes on after its end', bytesOf(tarOf([file]), tarOf([file])), 'something follows its end'],
    ['has a wrong checksum', bytesOf(changed(0, 65), end), 'a checksum is wrong'],
    [
      'has a binary number',
      tarOf([{ ...file, sizeField: '\x80\0\0\0\0\0\0\0\0\0\0\x01' }]),
      'a number is not octal',
    ],
    ['has a negative number', tarOf([{ ...file, sizeField: '-0000000001\0' }]), 'a number is not octal'],
    [
      'has content in a folder',
      tarOf([{ name: 'a/', type: '5', content: 'x' }]),
      'a folder or a link has content',
    ],
    [
      'has content in a link',
      tarOf([{ name: 'a', type: '1', content: 'x' }]),
      'a folder or a link has content',
    ],
    ['has a character device', tarOf([{ name: 'a', type: '3' }]), 'it has a device'],
    ['has a block device', tarOf([{ name: 'a', type: '4' }]), 'it has a device'],
    ['has a fifo', tarOf([{ name: 'a', type: '6' }]), 'it has a fifo'],
    ['has a sparse file', tarOf([{ name: 'a', type: 'S' }]), 'it has a sparse file'],
    [
      'has a global header',
      tarOf([{ name: 'a', type: 'g', content: 'x' }]),
      'it has a header for all entries',
    ],
    ['has an incremental folder', tarOf([{ name: 'a', type: 'D' }]), 'it has an entry of an unknown type'],
    [
      'gives a name twice',
      tarOf([{ name: 'l', type: 'L', content: 'a\0' }, { name: 'l', type: 'L', content: 'b\0' }, file]),
      'an entry has two names',
    ],
    [
      'gives a name in two ways',
      tarOf([
        { name: 'l', type: 'L', content: 'a\0' },
        { name: 'x', type: 'x', content: pax('path=b').join('') },
        file,
      ]),
      'an entry has two names',
    ],
    [
      'hides a second name',
      tarOf([{ name: 'l', type: 'L', content: 'a\0b\0' }, file]),
      'a long name is malformed',
    ],
    ['ends after a name', tarOf([{ name: 'l', type: 'L', content: 'a\0' }]), 'a long name has no entry'],
    [
      'has a huge name',
      tarOf([{ name: 'l', type: 'L', content: 'a'.repeat(20_000) }, file]),
      'a name is too long',
    ],
    [
      'sets a size apart from its header',
      tarOf([{ name: 'x', type: 'x', content: pax('size=0').join('') }, file]),
      'a pax header has an unknown key',
    ],
    [
      'has a pax header with a wrong length',
      tarOf([{ name: 'x', type: 'x', content: '99 path=b\n' }, file]),
      'a pax header is malformed',
    ],
    [
      'has a pax header with a key twice',
      tarOf([{ name: 'x', type: 'x', content: pax('path=a', 'path=b').join('') }, file]),
      'a pax header is malformed',
    ],
  ])('is refused when it %s', (_, archive, problem) => {
    expect(read(archive)).toBe(problem);
  });
});
