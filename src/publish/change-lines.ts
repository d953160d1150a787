/**
 * Parses the collector's untrusted output: form, caps and paths. One bad line refuses the whole change,
 * because nobody asked for a part; what the collector itself left out is `skipped`. `gate/` decides the
 * rest.
 */
import {
  changeLineSchema,
  maxChangeBytes,
  maxChangedFiles,
  maxFileBytes,
  type ChangedFile,
  type ChangeLine,
  type ChangeSet,
  type SkippedPath,
} from '../core/change-set.ts';
import { reasonOf } from '../core/reason.ts';
import type { Reason } from '../core/task.ts';
import { decodedBytes } from '../lib/base64.ts';
import { pathProblem } from './gate/safe-path.ts';
import { parseJson } from '../lib/parse-json.ts';

export type ParsedChange =
  | { readonly ok: true; readonly change: ChangeSet }
  | { readonly ok: false; readonly reason: Reason };

/** Never throws. `base`: the recorded base commit, which the collector must have compared with. */
export function parseChangeLines(text: string, base: string): ParsedChange {
  const files: ChangedFile[] = [];
  const skipped: SkippedPath[] = [];
  let bytes = 0;
  let end: Extract<ChangeLine, { type: 'end' }> | null = null;
  for (const raw of lines(text)) {
    if (end !== null) return malformed('it has lines after its end');
    const line = parseLine(raw);
    if (line === null) return malformed(`line ${files.length + skipped.length + 1} is unknown`);
    switch (line.type) {
      case 'file':
        if (decodedBytes(line.content) > maxFileBytes) return tooLarge('a file in it is larger than 10 MiB');
        bytes += decodedBytes(line.content);
        if (bytes > maxChangeBytes) return tooLarge('its files have more than 20 MiB in total');
        files.push(line);
        break;
      case 'deletion':
        files.push(line);
        break;
      case 'skipped':
        skipped.push(line);
        break;
      case 'end':
        end = line;
        break;
      case 'failed':
        return problem(reasonOf(`collect-${line.code}`, { error: line.message }));
    }
    if (files.length > maxChangedFiles || skipped.length > maxChangedFiles)
      return tooLarge(`it has more than ${maxChangedFiles} files`);
  }
  if (end === null) return malformed('its end is missing');
  if (end.entries !== files.length + skipped.length) return malformed('some of its lines are missing');
  if (end.base !== base) return malformed('it was made against another commit');
  const conflict = pathConflict(files);
  if (conflict !== null) return problem(reasonOf('change-path-refused', { problem: conflict }));
  const { links, diskFull } = end;
  return { ok: true, change: { base, files, skipped, links, diskFull } };
}

/** Yields line by line, without an array of all lines: a line may have 14 MB. */
function* lines(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const stop = newline < 0 ? text.length : newline;
    if (stop > start) yield text.slice(start, stop);
    start = stop + 1;
  }
}

function parseLine(text: string): ChangeLine | null {
  return changeLineSchema.safeParse(parseJson(text)).data ?? null;
}

/** Describes the first path that is not allowed; null if all are. */
function pathConflict(files: readonly ChangedFile[]): string | null {
  const seen = new Set<string>();
  const present = new Set<string>();
  for (const { path, type } of files) {
    const why = pathProblem(path);
    if (why !== null) return `The change has a path that ${why}: ${JSON.stringify(path.slice(0, 200))}.`;
    if (seen.has(path)) return `The change names ${JSON.stringify(path)} twice.`;
    seen.add(path);
    if (type === 'file') present.add(path);
  }
  for (const path of present) {
    for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
      const folder = path.slice(0, slash);
      if (present.has(folder))
        return `The change has ${JSON.stringify(folder)} both as a file and as a folder.`;
    }
  }
  return null;
}

const problem = (reason: Reason): ParsedChange => ({ ok: false, reason });
const malformed = (why: string): ParsedChange => problem(reasonOf('change-malformed', { why }));
const tooLarge = (why: string): ParsedChange => problem(reasonOf('change-too-large', { why }));
