/**
 * `node test/egress/record-codex.ts`: records again what the pinned Codex sends, after somebody has read what
 * is new in it. Keeps two requests of each turn: the one for a compaction, which has every kind of item, and
 * the last one after it.
 */
import { writeFileSync } from 'node:fs';
import { cleanUp } from '../codex/driver-harness.ts';
import { fixturePath } from './fixtures.ts';
import { dialects, recordTurn } from './recorded-codex.ts';

try {
  for (const { name, model, replies } of dialects) {
    const requests = await recordTurn(model, replies);
    const kept = [requests.find(({ body }) => body.includes('"compaction_trigger"')), requests.at(-1)];
    writeFileSync(fixturePath(`${name}.jsonl`), kept.map((request) => `${request?.body ?? ''}\n`).join(''));
    writeFileSync(
      fixturePath(`${name}.headers.json`),
      `${JSON.stringify(Object.keys(requests.at(-1)?.headers ?? {}).toSorted(), null, 2)}\n`,
    );
  }
} finally {
  cleanUp();
}
