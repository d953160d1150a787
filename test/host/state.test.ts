/** The lock of the state folder, and a log whose disk is full. */
import {
  copyFileSync,
  existsSync,
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
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setAsideDamaged } from '../../host/damaged-state.ts';
import { StartProblem } from '../../host/environment.ts';
import { openLogFile } from '../../host/log-file.ts';
import { readStartTime } from '../../host/sandbox/process-table.ts';
import { stateProblem } from '../../host/state-room.ts';
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

it.each([
  ['a folder with room', () => folder, /^null$/],
  ['a folder on a disk without room', () => '/proc', /\((?:ENOSPC\): free space on its disk|EACCES\))/],
  ['a folder that is gone', () => join(folder, 'gone'), /\(ENOENT\): set AIRLOCK_STATE to/],
])('says by name whether %s can be written', (_, place, expected) => {
  expect(String(stateProblem(place()))).toMatch(expected);
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

describe('a file of the state that is damaged', () => {
  const page = 4096;
  let file: string;
  beforeEach(() => {
    mkdirSync(join(folder, 'do'));
    file = join(folder, 'do', 'one.sqlite');
    const database = new DatabaseSync(file);
    database.exec(`
      PRAGMA synchronous = OFF;
      CREATE TABLE event (seq INTEGER PRIMARY KEY, body BLOB);
      INSERT INTO event WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
        SELECT i, zeroblob(500) FROM n;
    `);
    database.close();
    copyFileSync(file, join(folder, 'do', 'two.sqlite'));
  });
  const damaged = () => setAsideDamaged(join(folder, 'do'), join(folder, 'damaged'));

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['cut off in the middle of a page', (bytes) => bytes.subarray(0, 5 * page + 100)],
    ['cut off after a page', (bytes) => bytes.subarray(0, 3 * page)],
    ['empty', () => Buffer.alloc(0)],
    ['full of zeros', (bytes) => Buffer.alloc(bytes.byteLength)],
    ['without its header', (bytes) => Buffer.concat([Buffer.alloc(100, 'g'), bytes.subarray(100)])],
    ['text', () => Buffer.from('not a database'.repeat(1000))],
    ['with a page of other bytes', (bytes) => bytes.fill(0xff, 3 * page, 4 * page)],
  ])('is moved aside when it is %s, and nothing else is', (_, damage) => {
    const whole = readFileSync(file);
    writeFileSync(file, damage(whole));
    writeFileSync(`${file}-wal`, '');
    const [found, ...others] = damaged();
    expect(others).toEqual([]);
    expect(found).toMatchObject({ file: 'one.sqlite', problem: expect.stringMatching(/./) });
    expect(readdirSync(join(folder, 'do')).filter((name) => name.startsWith('one'))).toEqual([]);
    expect(existsSync(found?.movedTo ?? '')).toBe(true);
    expect(damaged()).toEqual([]);
  });

  it('is moved aside when it is a folder', () => {
    rmSync(file);
    mkdirSync(file);
    expect(damaged()).toMatchObject([{ file: 'one.sqlite', problem: 'it is a folder' }]);
  });

  it.each<[string, () => void]>([
    ['is whole', () => undefined],
    ['lacks the log that workerd had written', () => rmSync(`${file}-wal`, { force: true })],
    ['has a log of other bytes, which SQLite ignores', () => writeFileSync(`${file}-wal`, 'garbage')],
  ])('stays when it %s', (_, change) => {
    change();
    expect(damaged()).toEqual([]);
    expect(readdirSync(join(folder, 'do'))).toEqual(['one.sqlite', 'two.sqlite']);
  });
});
