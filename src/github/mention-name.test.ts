import { expect, it } from 'vitest';
import { mentionName } from './mention-name.ts';

const hour = 60 * 60_000;
const away = new Error('GitHub is away');
const guess = { mention: 'airlock', isGuess: true };
const own = { mention: 'acme-codex', isGuess: false };

it.each<
  [
    title: string,
    configured: string | null,
    answers: readonly (string | Error)[],
    seen: readonly (readonly [at: number, name: { mention: string; isGuess: boolean }])[],
  ]
>([
  ['is the configured one, without asking', 'codex', [], [[0, { mention: 'codex', isGuess: false }]]],
  ['is the slug of the App by default', null, ['acme-codex'], [[0, own]]],
  ['ignores case', null, ['Acme-Codex'], [[0, own]]],
  [
    'is asked for once',
    null,
    ['acme-codex'],
    [
      [0, own],
      [hour - 1, own],
    ],
  ],
  [
    'follows an App that was renamed',
    null,
    ['airlock', 'acme-codex'],
    [
      [0, { ...guess, isGuess: false }],
      [hour, own],
    ],
  ],
  [
    'is kept while GitHub is away',
    null,
    ['acme-codex', away, away],
    [
      [0, own],
      [hour, own],
      [hour * 2, own],
    ],
  ],
  [
    'is a guess until GitHub answers',
    null,
    [away, 'acme-codex'],
    [
      [0, guess],
      [4999, guess],
      [5000, own],
    ],
  ],
])('the name that people mention %s', async (_, mention, answers, seen) => {
  const left = [...answers];
  const logged: string[] = [];
  let time = 0;
  const name = mentionName(
    { mention, label: 'codex' },
    {
      slug: async () => {
        const answer = left.shift() ?? 'asked too often';
        if (answer instanceof Error) throw answer;
        return answer;
      },
      now: () => time,
      log: (event) => logged.push(event),
    },
  );
  for (const [at, expected] of seen) {
    time = at;
    expect(await name()).toEqual({ ...expected, label: 'codex' });
  }
  expect(left).toEqual([]);
  expect(logged).toEqual(answers.filter((answer) => answer instanceof Error).map(() => 'mention.unknown'));
});
