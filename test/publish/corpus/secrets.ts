/** Change sets with a secret of each kind, in the places where it can hide. */
import { randomText, secretExamples } from '../../fixtures/secret-examples.ts';
import { latin1, link, utf16, type ChangeRow, type Files } from './change-row.ts';

/** Taken in turn, so that each is used for several kinds. */
const places: readonly (readonly [string, (secret: string) => Files])[] = [
  ['in a new file', (secret) => ({ 'a.txt': `token = ${secret}\n` })],
  ['in an edited file', (secret) => ({ 'kept.txt': `kept\ntoken = "${secret}"\n` })],
  ['in lines that end like Windows’', (secret) => ({ 'x/a.ini': `[a]\r\nb=${secret}\r\n` })],
  ['in UTF-16', (secret) => ({ 'a.ps1': utf16(`$token = "${secret}"\r\n`) })],
  ['in base64', (secret) => ({ 'secret.yaml': `data:\n  token: ${btoa(secret)}\n` })],
  ['in a binary file', (secret) => ({ 'a.bin': latin1(`\0\x01\xff${secret}\xff`) })],
  ['behind a long line', (secret) => ({ 'a.txt': `${'A1b2 '.repeat(10_000)}${secret}` })],
  ['in a program', (secret) => ({ 'run.sh': { mode: 0o755, content: `#!/bin/sh\nT='${secret}'\n` } })],
];

const one = `ghp_${randomText(36)}`;
const other = `npm_${randomText(36)}`;

export const secretRows: readonly ChangeRow[] = [
  ...secretExamples.map(([, kind, secret], index): ChangeRow => {
    const [place, edit] = places[index % places.length] ?? ['', () => ({})];
    return {
      name: `${kind} ${place} (${index + 1})`,
      before: {},
      edit: edit(secret),
      verdict: 'hold secret',
    };
  }),
  { name: 'a token in a name', before: {}, edit: { [`x/${one}.txt`]: 'x' }, verdict: 'hold secret' },
  {
    name: 'a token in the name of a folder',
    before: {},
    edit: { [`${one}/a`]: 'x' },
    verdict: 'hold secret',
  },
  { name: 'a token in a symlink', before: {}, edit: { a: link(one) }, verdict: 'hold secret' },
  {
    name: 'a token that a person approved',
    before: {},
    edit: { a: one },
    verdict: 'hold secret',
    approved: true,
  },
  {
    name: 'a renamed file with a token',
    before: { a: `${one}\n` },
    edit: { a: null, b: `${one}\n` },
  },
  {
    name: 'another token next to one that is there already',
    before: { a: `${one}\n` },
    edit: { a: `${one}\n${other}\n` },
    verdict: 'hold secret',
  },
  { name: 'a token that is there already', before: { a: `${one}\nx\n` }, edit: { a: `${one}\ny\n` } },
  { name: 'a token that goes', before: { a: `x\n${one}\n` }, edit: { a: 'x\n' } },
  { name: 'a deleted file with a token', before: { a: `${one}\n` }, edit: { a: null } },
  { name: 'a placeholder', before: {}, edit: { 'README.md': `TOKEN=ghp_${'x'.repeat(36)}\n` } },
  {
    name: 'a lock file’s checksums',
    before: { 'package.json': '{}', 'package-lock.json': '{}' },
    edit: {
      'package.json': '{ }',
      'package-lock.json': `{ "integrity": "sha512-${randomText(64)}${randomText(22)}==" }`,
    },
  },
];
