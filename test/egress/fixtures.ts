/** Reads the recorded requests of the pinned Codex, one body a line, as `record-codex.ts` writes them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const fixturePath = (name: string): string => join(import.meta.dirname, 'fixtures', name);

export const recordedNames = ['tools-as-input', 'tools-at-top-level'] as const;

/** Bodies, oldest first. */
export function recordedBodies(name: (typeof recordedNames)[number]): readonly string[] {
  return readFileSync(fixturePath(`${name}.jsonl`), 'utf8')
    .trimEnd()
    .split('\n');
}
