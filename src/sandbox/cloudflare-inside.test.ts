import { describe, expect, it } from 'vitest';
import {
  encodeCommand,
  errorCodeIn,
  parseReply,
  requireAbsolute,
  requireRunName,
  scriptCall,
} from './cloudflare-inside.ts';

const limits = { timeoutMs: 1_500.5, maxOutputBytes: 10 };
const bytes = (...values: number[]) => new Uint8Array(values);

describe('the call of the script', () => {
  it('names the script by the instance, and has its words as they are', () => {
    expect(scriptCall('f00', ['read-file', 0, 10, "/it's; rm -rf $(x)\n"])).toEqual([
      'bash',
      '/var/lib/airlock/f00/inside.sh',
      'read-file',
      '0',
      '10',
      "/it's; rm -rf $(x)\n",
    ]);
  });
});

describe('the input of a command', () => {
  it('has its fields in order, each ended by a NUL, with their number and an end', () => {
    const command = { argv: ['echo', '', '-n'], cwd: '/tmp', env: { A: 'x=y', _b1: '' } };
    expect(new TextDecoder().decode(encodeCommand(command, limits)).split('\0')).toEqual([
      '12',
      '1501',
      '10',
      '0',
      '0',
      '/tmp',
      'A=x=y',
      '_b1=',
      'echo',
      '',
      '-n',
      'end',
      '',
    ]);
  });

  it.each([
    ['no program', { argv: [] }],
    ['an empty program', { argv: [''] }],
    ['a program that looks like a variable', { argv: ['A=b'] }],
    ['a NUL in an argument', { argv: ['echo', 'a\0b'] }],
    ['a NUL in a value', { argv: ['echo'], env: { A: 'a\0B=b' } }],
    ['a NUL in the folder', { argv: ['echo'], cwd: '/tmp\0' }],
    ['a relative folder', { argv: ['echo'], cwd: 'tmp' }],
    ['a variable with an equals sign', { argv: ['echo'], env: { 'A=B': '' } }],
    ['a variable without a name', { argv: ['echo'], env: { '': '' } }],
    ['more than Linux takes', { argv: ['echo', 'x'.repeat(4 * 1024 * 1024)] }],
  ])('is refused for %s', (_, command) => {
    expect(() => encodeCommand(command, limits)).toThrow(TypeError);
  });
});

describe('names', () => {
  it.each(['', '.', '..', '../x', 'a/b', '-x', 'a b', 'x'.repeat(65), 'a\n'])(
    'refuses %j as the name of a run',
    (name) => {
      expect(() => requireRunName(name)).toThrow(TypeError);
    },
  );
  it.each(['codex', 'codex-2', 'A.b_c'])('accepts %j as the name of a run', (name) => {
    expect(requireRunName(name)).toBe(name);
  });
  it.each(['', 'x', './x', '/a\0b'])('refuses %j as a path', (path) => {
    expect(() => requireAbsolute(path)).toThrow(TypeError);
  });
});

const said = (stdout: string, exitCode = 0) => parseReply({ stdout, exitCode });

describe('a reply', () => {
  it.each([
    ['airlock done\n', { kind: 'done' }],
    ['airlock waiting\n', { kind: 'waiting' }],
    ['airlock none\n', { kind: 'none' }],
    ['airlock replaced\n', { kind: 'replaced' }],
    [`airlock failed\n${btoa('EACCES')}`, { kind: 'failed', problem: 'EACCES' }],
    [`airlock file 7\n${btoa('ab')}\n`, { kind: 'file', size: 7, bytes: bytes(97, 98) }],
    [`airlock run 2 -\n${btoa('ab')}\n`, { kind: 'run', size: 2, exitCode: null, bytes: bytes(97, 98) }],
    ['airlock run 0 3\n\n', { kind: 'run', size: 0, exitCode: 3, bytes: bytes() }],
    [
      `airlock exec 137 1 3 0\n${btoa('ab')}\n\n`,
      {
        kind: 'exec',
        exitCode: 137,
        timedOut: true,
        stdout: bytes(97, 98),
        stderr: bytes(),
        truncated: true,
      },
    ],
  ])('is parsed from %j', (stdout, reply) => {
    expect(said(stdout)).toEqual(reply);
  });

  it('shows that the container was replaced if the shell finds no script', () => {
    expect(said('', 127)).toEqual({ kind: 'replaced' });
  });

  it.each([
    ['', 0],
    ['', 1],
    ['bash: not found', 127],
    ['AIRLOCK done\n', 0],
    ['airlock\n', 0],
    ['airlock toString\n', 0],
    ['airlock file x\n\n', 0],
    ['airlock file -1\n\n', 0],
    ['airlock file 1e9\n\n', 0],
    ['airlock file 9999999999999999\n\n', 0],
    ['airlock file 1\n%%%\n', 0],
    ['airlock run 1\n\n', 0],
    ['airlock run 1 x\n\n', 0],
    ['airlock exec 0 0 1\n\n\n', 0],
    ['airlock exec 0 0 1 1\n%\n\n', 0],
  ])('is null for %j', (stdout, exitCode) => {
    expect(said(stdout, exitCode)).toBeNull();
  });
});

describe('error output', () => {
  it.each([
    ["mkdir: cannot create directory '/x': Permission denied", 'EACCES'],
    ['write: line 2: /usr/bin/x: Read-only file system', 'EROFS'],
    ["mv: cannot overwrite directory '/x' with non-directory", 'EISDIR'],
    ['something else', 'EIO'],
  ])('means the error code in the text: %s → %s', (text, code) => {
    expect(errorCodeIn(text)).toBe(code);
  });
});
