/** Reads and writes loose objects (gitformat-loose) directly, because a process per repository is slow. */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync, inflateSync } from 'node:zlib';
import type { GitObject } from './git-process.ts';
import { isRefName } from './git-refs.ts';

/** Writes an object atomically and returns its id. Idempotent. Blocks: that costs less than the waits. */
export function writeLooseObject(
  gitDir: string,
  type: 'blob' | 'tree' | 'commit',
  content: Uint8Array,
): string {
  const whole = Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content]);
  const sha = createHash('sha1').update(whole).digest('hex');
  const folder = join(gitDir, 'objects', sha.slice(0, 2));
  const path = join(folder, sha.slice(2));
  if (existsSync(path)) return sha;
  mkdirSync(folder, { recursive: true });
  const temporary = join(folder, `tmp_obj_${randomUUID()}`);
  writeFileSync(temporary, deflateSync(whole, { level: 1 }), { mode: 0o444 });
  renameSync(temporary, path);
  return sha;
}

/** `name`: as for `GitRepository.describe`. Null: none exists. Undefined: only git knows. */
export function readLooseObject(gitDir: string, name: string): GitObject | null | undefined {
  const [, start = '', wanted] = /^([^^]+)(?:\^\{(commit|tree)\})?$/.exec(name) ?? [];
  const sha = /^[0-9a-f]{40}$/.test(start) ? start : looseRef(gitDir, start);
  if (sha === null || sha === undefined) return sha;
  const objects = join(gitDir, 'objects');
  const path = join(objects, sha.slice(0, 2), sha.slice(2));
  if (!existsSync(path)) return readdirSync(join(objects, 'pack')).length === 0 ? null : undefined;
  const whole = inflateSync(readFileSync(path));
  const end = whole.indexOf(0);
  const [type = '', size = '0'] = whole.toString('latin1', 0, end).split(' ');
  const content = whole.subarray(end + 1);
  if (wanted === undefined || wanted === type) return { sha, type, size: Number(size), content };
  if (type !== 'commit') return undefined;
  return readLooseObject(gitDir, content.toString('latin1', 'tree '.length, 'tree '.length + 40));
}

function looseRef(gitDir: string, ref: string): string | null | undefined {
  if (!isRefName(ref)) return undefined;
  try {
    const text = readFileSync(join(gitDir, ref), 'latin1').trim();
    return /^[0-9a-f]{40}$/.test(text) ? text : undefined;
  } catch {
    return existsSync(join(gitDir, 'packed-refs')) ? undefined : null;
  }
}
