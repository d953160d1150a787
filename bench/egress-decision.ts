/** Measures egress decisions per second on one processor: for a head, and with a recorded body. */
import { decideEgress } from '../src/egress/decide.ts';
import { exampleGrant } from '../test/fixtures/example-grant.ts';
import { decideResponsesBody } from '../src/egress/openai-body.ts';
import { recordedBodies } from '../test/egress/fixtures.ts';
import { median, round, type Bench } from './metric.ts';

const roundMs = 300;
const rounds = 7;

const head = (method: string, url: string, headers: Readonly<Record<string, string>> = {}) => ({
  method,
  url,
  header: (name: string) => headers[name] ?? null,
});
/** A fetch, a model request, an attempted push, and a request to an unknown host. */
const heads = [
  head('GET', 'https://github.com/acme/split-bill.git/info/refs?service=git-upload-pack'),
  head('POST', 'https://api.openai.com/v1/responses', { 'content-type': 'application/json' }),
  head('POST', 'https://github.com/mallory/loot.git/git-receive-pack'),
  head('GET', 'https://evil.example/?q=1'),
];

/** Returns calls per second: the median of seven rounds. */
function perSecond(decide: () => number): number {
  const rates = Array.from({ length: rounds + 1 }, () => {
    const startedAt = performance.now();
    let decided = 0;
    while (performance.now() - startedAt < roundMs) decided += decide();
    return (decided / (performance.now() - startedAt)) * 1_000;
  });
  // The first round warms up.
  return median(rates.slice(1));
}

export const egressDecisionBench: Bench = {
  name: 'egress',
  what: 'egress decisions per second',
  run: async (progress) => {
    progress('request heads');
    const ofHeads = perSecond(() => {
      for (let left = 100; left > 0; left -= 1)
        for (const request of heads) decideEgress(request, exampleGrant);
      return 100 * heads.length;
    });
    progress('request bodies of Codex');
    const bodies = recordedBodies('tools-as-input').map((body) => new TextEncoder().encode(body));
    const ofBodies = perSecond(() => {
      for (const body of bodies)
        if (decideResponsesBody(body, exampleGrant).kind === 'deny')
          throw new Error('a recorded request was denied');
      return bodies.length;
    });
    return [
      { name: 'egress decisions by head', value: round(ofHeads, 0), unit: '/s', goal: null },
      { name: 'egress decisions with a body of 45 KB', value: round(ofBodies, 0), unit: '/s', goal: null },
      { name: 'one decision with a body of 45 KB', value: round(1_000 / ofBodies), unit: 'ms', goal: null },
    ];
  },
};
