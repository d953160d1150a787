import { expect, it } from 'vitest';
import { createCodex } from './codex.ts';

const codex = createCodex({ openaiBaseUrl: 'https://api.openai.com/v1' });
const random = 'q7Rz2KfP9xWm4TbYc8VdL1nHs6GjA3eUo5Zi';
const token = `ghp_${random}`;

const event = (method: string, params: unknown): string =>
  JSON.stringify({ at: 1, event: { method, params } });
const item = (fields: object): string => event('item/completed', { item: { id: 'i', ...fields } });
const said = (text: string): string => item({ type: 'agentMessage', text, phase: 'final_answer' });
const command = { type: 'commandExecution', command: `curl -H "${token}" x`, status: 'inProgress' };
const output = (delta: string): string => event('item/commandExecution/outputDelta', { itemId: 'i', delta });

const answer = JSON.stringify({
  title: `Use ${token}`,
  replies: [{ id: 1, text: token }],
  pullRequestText: token,
  summary: `\`${token}\``,
});
/** JSON inside JSON can spell a letter as an escape. */
const spelled = answer.replaceAll('ghp_', String.raw`gh\u0070_`);

it.each<[string, readonly string[]]>([
  ['an answer', [said(answer)]],
  ['an answer that spells it with an escape', [said(spelled)]],
  ['an answer that is cut off', [said(spelled.slice(0, -3))]],
  ['an answer with a character in it that nobody sees', [said(answer.replaceAll('ghp_', 'gh\u200bp_'))]],
  ['an answer in prose', [said(`Done: ${token}`)]],
  ['an answer to a question', [said(JSON.stringify({ answer: token }))]],
  [
    'a command and the end of its output',
    [item({ ...command, exitCode: 0, aggregatedOutput: `${token}${' b'.repeat(990)}` })],
  ],
  [
    'output in parts',
    [
      event('item/started', { item: { id: 'i', ...command } }),
      output(token.slice(0, 9)),
      output(token.slice(9)),
    ],
  ],
  ['a plan', [event('turn/plan/updated', { plan: [{ step: `Try ${token}`, status: 'pending' }] })]],
  ['a message', [item({ type: 'agentMessage', text: token, phase: 'commentary' })]],
  ['an error', [event('error', { error: { message: token }, willRetry: false })]],
])('takes secrets out of %s', (_, lines) => {
  let progress = codex.initialProgress;
  const notable: unknown[] = [];
  for (const line of lines) {
    const folded = codex.fold(progress, line, 0);
    notable.push(...folded.notable);
    progress = folded.progress;
  }
  const { finalMessage, ...shown } = progress;
  const all = JSON.stringify([shown, notable, codex.answer(progress), codex.reply(progress)]);
  expect(all).toContain('[a GitHub token was here]');
  expect(all).not.toContain(random.slice(9, 20));
  expect(finalMessage ?? '').not.toContain(token);
});
