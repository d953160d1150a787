/** The lock of the state folder, and a log whose disk is full. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { StartProblem } from '../../host/environment.ts';
import { openLogFile } from '../../host/log-file.ts';
import { readStartTime } from '../../host/sandbox/process-table.ts';
import { openStateFolder } from '../../host/state-folder.ts';

let folder: string;
let lock: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'airlock-state-'));
  lock = join(folder, 'bot.lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('locks the folder until it is released, and leaves nothing behind', () => {
  const release = openStateFolder(folder);
  expect(() => openStateFolder(folder)).toThrow(StartProblem);
  expect(() => openStateFolder(folder)).toThrow(`Another Airlock (pid ${process.pid}) uses the state folder`);
  release();
  expect(readdirSync(folder)).toEqual([]);
  openStateFolder(folder)();
});

const endedPid = 2 ** 22 + 1; // above the kernel's limit
it.each([
  ['whose owner has ended', JSON.stringify({ pid: endedPid, startedAt: '1' })],
  ['whose pid belongs to another process now', JSON.stringify({ pid: process.ppid, startedAt: '1' })],
  ['that was cut off', '{"pid":'],
])('takes over a lock %s', (_, content) => {
  writeFileSync(lock, content);
  const release = openStateFolder(folder);
  expect(JSON.parse(readFileSync(lock, 'utf8'))).toEqual({
    pid: process.pid,
    startedAt: readStartTime(process.pid),
  });
  expect(readdirSync(folder)).toEqual(['bot.lock']);
  release();
});

it('names a folder that cannot be written, and the remedy', () => {
  writeFileSync(join(folder, 'file'), '');
  expect(() => openStateFolder(join(folder, 'file', 'state'))).toThrow(
    /^The state folder \S+ cannot be written \(ENOTDIR\): set AIRLOCK_STATE to a folder/,
  );
});

it('creates the log at once, for this user only', () => {
  const path = join(folder, 'new', 'airlock.log');
  openLogFile(path, () => undefined);
  expect(statSync(path).size).toBe(0);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

it.each<[string, string, (path: string) => void]>([
  ['the disk is full', 'ENOSPC', (path) => symlinkSync('/dev/full', path)],
  ['the file is replaced by a folder', 'EISDIR', (path) => mkdirSync(path)],
])('survives when %s, warns once, and counts the lost lines afterwards', (_, code, breakLog) => {
  const path = join(folder, 'airlock.log');
  const warnings: string[] = [];
  const log = openLogFile(path, (line) => warnings.push(line));
  rmSync(path);
  breakLog(path);
  log('{"event":"one"}');
  log('{"event":"two"}');
  expect(warnings).toEqual([`The log ${path} cannot be written (${code}). The bot continues without it.`]);
  rmSync(path, { recursive: true });
  log('{"event":"three"}');
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
    expect.objectContaining({ event: 'log.lines_lost', level: 'warn', lines: 2 }),
    { event: 'three' },
  ]);
});
