/**
 * `node test/egress/record-codex.ts`: records again what the pinned Codex sends, after somebody has read it.
 * Keeps of each turn the request for a compaction, with every kind of item, and the last one.
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
