/**
 * How the time of each parser of untrusted text grows when a hostile text gets eight times as long: about 8
 * in proportion, 64 when quadratic. The best of several rounds.
 */
import { createLineSplitter } from '../container/line-splitter.ts';
import { parseMention } from '../src/core/ask/mention.ts';
import { readAsk } from '../src/core/ask/ask-words.ts';
import { findSecrets } from '../src/core/secrets/find-secrets.ts';
import { renderUntrustedMarkdown } from '../src/github/markdown.ts';
import {
  hostileAskPieces,
  hostileLength,
  hostileMarkdownPieces,
  hostileMentionPieces,
  hostileSecretPieces,
  repeated,
} from '../test/fixtures/hostile-text.ts';
import { round, type Bench, type Metric } from './metric.ts';

const rounds = 9;
const roundMs = 20;
const growth = 8;

const parsers: readonly {
  readonly name: string;
  readonly pieces: readonly string[];
  readonly parse: (text: string) => unknown;
}[] = [
  { name: 'mention', pieces: hostileMentionPieces, parse: (text) => parseMention(text, 'airlock') },
  { name: 'words of an ask', pieces: hostileAskPieces, parse: (text) => readAsk(text, () => null) },
  {
    name: 'untrusted Markdown',
    pieces: hostileMarkdownPieces,
    parse: (text) => renderUntrustedMarkdown(`\`\`\`${text}x`, text.length),
  },
  { name: 'secrets', pieces: hostileSecretPieces, parse: (text) => findSecrets(text) },
  {
    name: 'one line of Codex in pieces of 64 characters',
    pieces: ['x'],
    parse: (text) => {
      const push = createLineSplitter({
        onLine: () => undefined,
        onOverlong: () => undefined,
        maxCharacters: hostileLength * 2,
      });
      for (let at = 0; at < text.length; at += 64) push(text.slice(at, at + 64));
      push('\n');
    },
  },
];

export const hostileTextBench: Bench = {
  name: 'text',
  what: 'growth of the time that parsers of untrusted text take',
  run: async (progress) => {
    const metrics: Metric[] = [];
    for (const { name, pieces, parse } of parsers) {
      progress(name);
      const measured = pieces.map((piece) => {
        const shorter = bestMs(() => parse(repeated(piece, hostileLength / growth)));
        const longer = bestMs(() => parse(repeated(piece)));
        return { piece, longer, times: longer / shorter };
      });
      const worst = measured.toSorted((left, right) => right.times - left.times)[0];
      const slowest = measured.toSorted((left, right) => right.longer - left.longer)[0];
      if (worst === undefined || slowest === undefined) continue;
      metrics.push(
        {
          name: `${name}: growth over ${JSON.stringify(worst.piece)}`,
          value: round(worst.times, 1),
          unit: 'ratio',
          goal: `about ${growth}; ${growth ** 2} is quadratic`,
        },
        {
          name: `${name}: 200,000 characters of ${JSON.stringify(slowest.piece)}`,
          value: round(slowest.longer, 1),
          unit: 'ms',
          goal: null,
        },
      );
    }
    return await Promise.resolve(metrics);
  },
};

/** Milliseconds of one call, from rounds that are long enough for the clock. */
function bestMs(work: () => unknown): number {
  const times = Array.from({ length: rounds }, () => {
    const startedAt = performance.now();
    let calls = 0;
    for (; performance.now() - startedAt < roundMs; calls += 1) work();
    return (performance.now() - startedAt) / calls;
  });
  return Math.min(...times);
}
