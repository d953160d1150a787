/**
 * `node test/egress/fuzz-openai-body.ts --seconds 60 [--seed N]`: attacks the decision about model requests
 * with mutated recordings. `openai-oracle.ts` judges what is allowed. Exits with 1 and a minimized input when
 * it finds a fault, in time, stability or verdict.
 */
import { runCommand, UsageProblem } from '../../cli/command/run-command.ts';
import { exampleGrant } from '../fixtures/example-grant.ts';
import { decideResponsesBody } from '../../src/egress/openai-body.ts';
import { recordedBodies, recordedNames } from './fixtures.ts';
import { mutateBytes, mutateSpelling, mutateStructure, randomFrom, type Random } from './mutate-json.ts';
import { faultsOf } from './openai-oracle.ts';

/** Milliseconds for one input of at most `maxBytes`: some hundred times what such an input needs. */
const maxMs = 500;
const maxBytes = 1024 * 1024;

/** So that most mutations hit structure. One input in ten starts from an unchanged recording. */
const shorten = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, inner: unknown) =>
    typeof inner === 'string' && inner.length > 60 && !inner.startsWith('data:') ? inner.slice(0, 20) : inner,
  );
const recorded: unknown[] = recordedNames.flatMap((name) =>
  recordedBodies(name).map((body): unknown => JSON.parse(body)),
);
const short = recorded.map((body) => shorten(body));

function inputFrom(random: Random): Uint8Array {
  const from = random() < 0.1 ? recorded : short;
  const body = structuredClone(from[Math.floor(random() * from.length)]);
  if (random() < 0.9) mutateStructure(body, random);
  let text = JSON.stringify(body);
  if (random() < 0.2) text = mutateSpelling(text, random);
  let bytes: Uint8Array = new TextEncoder().encode(text);
  if (random() < 0.2) bytes = mutateBytes(bytes, random);
  return bytes.subarray(0, maxBytes);
}

/** Says what is wrong with the decision on an input; null if nothing is. */
function findingOf(bytes: Uint8Array): { finding: string | null; allowed: boolean } {
  const startedAt = performance.now();
  let allowed = false;
  try {
    const verdict = decideResponsesBody(bytes, exampleGrant);
    const ms = performance.now() - startedAt;
    if (ms > maxMs) return { finding: `took ${Math.round(ms)} ms`, allowed };
    if (verdict.kind === 'deny')
      return { finding: verdict.reason.length > 400 ? 'a reason without end' : null, allowed };
    allowed = true;
    const faults = faultsOf(verdict.body, exampleGrant.models);
    if (faults.length > 0) return { finding: faults.join('; '), allowed };
    const again = decideResponsesBody(verdict.body, exampleGrant);
    const isSame = again.kind === 'allow' && Buffer.from(again.body).equals(verdict.body);
    return { finding: isSame ? null : 'what is sent would be decided otherwise', allowed };
  } catch (error) {
    return { finding: `threw ${String(error)}`, allowed };
  }
}

/** Removes pieces while the fault remains, for at most five seconds. */
function minimise(bytes: Uint8Array): Uint8Array {
  let smallest = bytes;
  const until = performance.now() + 5_000;
  for (let size = Math.ceil(bytes.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let at = 0; at < smallest.length && performance.now() < until;) {
      const less = Uint8Array.from([...smallest.subarray(0, at), ...smallest.subarray(at + size)]);
      if (findingOf(less).finding === null) at += size;
      else smallest = less;
    }
  return smallest;
}

await runCommand({
  name: 'npm run fuzz',
  about:
    'Attacks the decision about model requests with mutated recordings of the real Codex. Prints the smallest\n' +
    'input that shows a fault.',
  options: {
    seconds: { type: 'string', value: 'N', about: 'how long (60)' },
    seed: { type: 'string', value: 'N', about: 'repeats an earlier run (default: a new one)' },
  },
  more: 'Exit status: 0 no fault found, 1 a fault, 2 wrong usage.',
  run: async ({ values }) => {
    const seconds = Number(values.seconds ?? '60');
    const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
    if (!(seconds > 0) || !Number.isSafeInteger(seed))
      throw new UsageProblem('--seconds and --seed are numbers.');
    return fuzz(seconds, seed);
  },
});

function fuzz(seconds: number, seed: number): number {
  const random = randomFrom(seed);
  const startedAt = performance.now();
  let inputs = 0;
  let passed = 0;
  let status = 0;
  while (performance.now() - startedAt < seconds * 1_000) {
    const bytes = inputFrom(random);
    const { finding, allowed } = findingOf(bytes);
    inputs += 1;
    passed += Number(allowed);
    if (finding === null) continue;
    const smallest = minimise(bytes);
    process.stdout.write(
      `found after ${inputs} inputs with seed ${seed}: ${findingOf(smallest).finding ?? finding}\n${Buffer.from(smallest).toString('utf8')}\n`,
    );
    status = 1;
    break;
  }
  const elapsed = (performance.now() - startedAt) / 1_000;
  process.stdout.write(
    `${inputs} inputs in ${elapsed.toFixed(1)} s (${Math.round(inputs / elapsed)}/s), ${passed} of them allowed, seed ${seed}\n`,
  );
  return status;
}
