/** Every reason reaches people on each surface with what happened, whose doing it is, and what to do next. */
import { expect, it } from 'vitest';
import { plain } from '../cli/terminal/plain-text.ts';
import { outcomeLine } from '../cli/terminal/task-printer.ts';
import { gateRules } from '../src/core/gate-rules.ts';
import { reasonOf, reasonOfEnd, reasonRows, reasonText, remedyText } from '../src/core/reason.ts';
import { causes } from '../src/core/reasons.ts';
import type { Reason, TaskOutcome } from '../src/core/task.ts';
import { progressComment } from '../src/github/comments.ts';
import { renderUntrustedMarkdown } from '../src/github/markdown.ts';
import { renderUntrusted } from '../src/slack/mrkdwn.ts';
import { taskMessage } from '../src/slack/task-message.ts';
import { outcomeWords } from '../src/web/pages/outcome-words.ts';
import { slackMention, slackView } from './fixtures/sample-view.ts';

const rows = Object.entries(reasonRows).map(([key, [cause, message, next]]) => ({
  key,
  cause,
  message,
  next,
}));
const holds = gateRules.flatMap((rule) =>
  rule.effect === 'mark'
    ? []
    : [{ key: rule.code, cause: 'codex' as const, message: rule.why, next: rule.remedy }],
);

it.each([...rows, ...holds])('shows all three parts of “$key” on each surface', ({ key, ...row }) => {
  const [message, next] = [row.message, row.next].map((text) => text.replace(/\{\w+\}/g, 'Value.'));
  const reason: Reason = { ...row, code: key, message: message ?? '', next: next ?? '' };
  const outcomes: readonly TaskOutcome[] = [
    { kind: 'refused', reason },
    { kind: 'failed', reason, changeKept: true },
    { kind: 'held', reason, changeHash: null },
    { kind: 'patch', reason, patch: { text: '', complete: true }, summary: 'Done.' },
    { kind: 'ignored', reason },
  ];
  // A sentence each.
  expect(reason.message).toMatch(/^\S.*\.$/s);
  expect(reason.next).toMatch(/^[A-Z`].*\.$/s);
  for (const outcome of outcomes) {
    const view = { ...slackView, status: 'ended', phase: 'ended', outcome } as const;
    const slack = taskMessage(view, slackMention).blocks.flatMap((block) =>
      block.type === 'section' ? (block.text?.text ?? '') : '',
    );
    const surfaces: readonly (readonly [string, (text: string) => string])[] = [
      [progressComment(view, null), (text) => renderUntrustedMarkdown(text, 2000)],
      [slack.join('\n'), (text) => renderUntrusted(text, 2000)],
      [outcomeLine(outcome), plain],
      [JSON.stringify(outcomeWords(outcome)), (text) => JSON.stringify(text).slice(1, -1)],
      // The API.
      [JSON.stringify(reasonOfEnd(outcome)), (text) => JSON.stringify(text).slice(1, -1)],
    ];
    for (const [shown, rendered] of surfaces) {
      expect(shown).toContain(rendered(reason.message));
      expect(shown).toContain(rendered(reason.next));
    }
    for (const [shown] of surfaces.slice(0, 4)) expect(shown).toContain(causes[reason.cause]);
  }
});

it.each<TaskOutcome>([
  { kind: 'cancelled', by: 'mona' },
  { kind: 'no-change', summary: 'It is right.' },
  { kind: 'no-change', summary: '', leftOut: 'Left out: a.' },
])('says what to do next after the end %j', (outcome) => {
  const reason = reasonOfEnd(outcome);
  if (reason === null) throw new Error('it has no reason');
  const view = { ...slackView, status: 'ended', phase: 'ended', outcome } as const;
  const slack = JSON.stringify(taskMessage(view, slackMention).blocks);
  const page = JSON.stringify(outcomeWords(outcome));
  for (const shown of [progressComment(view, null), slack, outcomeLine(outcome), page]) {
    expect(shown).toContain(reason.next);
    expect(shown).toContain(causes[reason.cause]);
  }
});

it('gives no reason where the end is an answer', () => {
  const ends: readonly TaskOutcome[] = [
    { kind: 'answered', message: 'x' },
    { kind: 'replied', text: 'x' },
    { kind: 'steered', taskId: 'x' },
  ];
  expect(ends.map(reasonOfEnd)).toEqual([null, null, null]);
});

it('fills a value in once, whatever it holds', () => {
  const reason = reasonOf('base-missing', { branch: '{repository}', repository: 'acme/shop' });
  expect(reason.message).toBe('There is no branch “{repository}” in acme/shop.');
  expect(reasonText(reason)).toBe(`${reason.message} ${remedyText(reason, String, String)}`);
  expect(reasonOf('branch-moved.merge').code).toBe('branch-moved');
});
