/**
 * What a hijacked model can write, on every surface. Rendered as GitHub and Slack render it, it is words and
 * code, and what Airlock says around it is the same as around an ordinary sentence.
 */
import { aReason } from './fixtures/a-reason.ts';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { outcomeLine } from '../cli/terminal/task-printer.ts';
import { slackMessageLines } from '../cli/terminal/slack-message.ts';
import { mrkdwnPieces } from '../simulators/slack/mrkdwn-pieces.ts';
import { emptyReceipt } from '../src/core/grant.ts';
import type { TaskOutcome } from '../src/core/task.ts';
import type { TaskView } from '../src/core/task-view.ts';
import { lineReply, progressComment } from '../src/github/comments.ts';
import { commitMessage, titleOf } from '../src/publish/git-commit.ts';
import { receiptCheck } from '../src/publish/receipt-check.ts';
import { followUpComment, pullRequestBody } from '../src/publish/pull-request-text.ts';
import { taskMessage } from '../src/slack/task-message.ts';
import { describedText } from '../src/publish/template-text.ts';
import { modelAnswers } from './fixtures/model-answers.ts';
import { referencesIn, renderedPage } from './fixtures/rendered-page.ts';
import { publicationOf, run } from './fixtures/sample-publication.ts';
import { slackMention, slackView } from './fixtures/sample-view.ts';
import { textsOf } from './slack/hostile-views.ts';

const { change, request } = publicationOf();

/** At the start, in a list and at the end. */
const around = (text: string): string =>
  `${text}\n\nwords one\n\n- words two ${text}\n\nwords three\n\n${text}`;

const denied = (text: string) => ({
  method: 'GET',
  host: text,
  path: `/${text}`,
  rule: 'budget.requests',
  reason: text,
  count: 1,
  at: 0,
  command: text,
});

const bodyWith = (text: string): string =>
  pullRequestBody(
    publicationOf(
      {
        answer: { title: text, summary: around(text), valid: true },
        remarks: [text],
        change: { ...change, skipped: [{ type: 'skipped', path: text, why: 'ignored' }] },
      },
      {
        commands: [],
        receipt: {
          ...emptyReceipt,
          failed: [{ host: text, fault: 'upstream', rule: 'r', reason: text, count: 1 }],
          failedTotal: 1,
        },
      },
    ),
  );

const viewWith = (text: string, outcome: TaskOutcome | null): TaskView => ({
  ...slackView,
  requester: 'mona',
  base: { branch: text, sha: 'a'.repeat(40) },
  progress: {
    threadId: null,
    resumed: null,
    plan: [{ step: text, status: 'inProgress' }],
    commands: [{ ...run(text, null), outputTail: `a\n${text}` }],
    commandsTotal: 3,
    changedFiles: [],
    message: text,
    finalMessage: null,
    turn: null,
    lastError: null,
    rolloutPath: null,
    unknownEvents: 0,
  },
  receipt: emptyReceipt,
  outcome,
});

const patchOutcome = (text: string): TaskOutcome => ({
  kind: 'patch',
  reason: aReason('x', text),
  patch: { text: `+${text}\n`, complete: false },
  summary: text,
});
const outcomes = (text: string) => [
  null,
  patchOutcome(text),
  { kind: 'replied', text: around(text) } as const,
];

const onGithub = (text: string): string =>
  [
    bodyWith(text),
    receiptCheck(publicationOf({ remarks: [text] }), 'c'.repeat(40), null).summary,
    progressComment(viewWith(text, null), null),
    progressComment(viewWith(text, patchOutcome(text)), null),
    lineReply(text, { kind: 'no-change', summary: '' }),
  ].join('\n\n---\n\n');

/** What GitHub, CI systems and bots obey in a commit message, which a squashed commit takes from the body. */
const commands = [
  /\b(?:clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)|implement(?:s|ed|ing)?)\b[:\s]*(?:[\w.-]+\/[\w.-]+)?(?:#|GH-)\d+/gi,
  /\b(?:clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)|implement(?:s|ed|ing)?)\b[:\s]*https?:\/\/\S+/gi,
  /\b(?:clos|fix|resolv|complet)\w*[\s:]+[a-z]+-\d+|[A-Z]+-\d+.*\s#[a-z]+/gi,
  /\[(?:skip|no)[ _-]?\w+\]|\[[\w-]+[ _-]skip\]|\*\*\*NO_CI/gi,
  /^[ \t]*(?:[a-z-]+-by|skip-checks|release-as)[ \t]*:.*$/gim,
  /BEGIN_(?:COMMIT_OVERRIDE|NESTED_COMMIT)/g,
  /^[ \t]*\/[a-z][\w-]*(?:\s|$)/gim,
];
const commandsIn = (message: string): readonly string[] =>
  commands.flatMap((one) => message.match(one) ?? []);

describe('on GitHub', () => {
  const ordinary = onGithub('x');
  const ordinaryPage = renderedPage(ordinary);

  it.each(modelAnswers)('shows $what as words', ({ text, reads = 'words three' }) => {
    const markdown = onGithub(text);
    const page = renderedPage(markdown);
    expect(page.structure).toEqual(ordinaryPage.structure);
    expect(page.filtered).toEqual(ordinaryPage.filtered);
    expect(commandsIn(markdown)).toEqual(commandsIn(ordinary));
    const read = page.blocks.join('\n');
    for (const words of ['words one', 'words two', 'words three', reads]) expect(read).toContain(words);
    // All of ours that follows the summary.
    expect(page.blocks).toEqual(
      expect.arrayContaining(ordinaryPage.blocks.filter((block) => !/\bx\b|words/.test(block))),
    );
  });

  it('shows each answer as words in a template that the model filled in', () => {
    const page = (filled: string) =>
      renderedPage(
        describedText({ summary: '', template: '## Why\n', pullRequestText: `## Why\n\n${filled}` }, 8000),
      );
    const ordinaryForm = page('x');
    for (const { what, text } of modelAnswers) {
      const { structure, filtered } = page(`words\n\n- ${text}\n\n${text}`);
      // A form keeps its boxes.
      const others = structure.filter((one) => !one.endsWith('with a box'));
      expect([what, others, filtered]).toEqual([what, ordinaryForm.structure, ordinaryForm.filtered]);
    }
  });

  it('keeps each answer within its cell of a table', () => {
    for (let from = 0; from < modelAnswers.length; from += 40) {
      const texts = modelAnswers.slice(from, from + 40).map(({ text }) => text);
      const receipt = { ...emptyReceipt, denied: texts.map(denied), deniedTotal: texts.length };
      const evidence = { commands: texts.map((text) => run(text)), receipt };
      const { rows } = renderedPage(followUpComment(publicationOf({}, evidence), 'c'.repeat(40)));
      expect(rows.map((cells) => [cells.length, cells[1]])).toEqual([
        [3, 'exit status'],
        ...texts.map(() => [3, '0']),
        [4, 'times'],
        ...texts.map(() => [4, '1']),
      ]);
    }
  });

  it('shows each answer as words in a commit message and a title', () => {
    for (const { what, text } of modelAnswers) {
      const answer = { title: text, summary: around(text) };
      const message = commitMessage(answer, request, null);
      const title = titleOf(answer);
      const trailers = message.lastIndexOf('\n\n');
      const words = `${title}\n${message.slice(0, trailers)}`;
      expect([what, ...commandsIn(words), ...referencesIn(words)]).toEqual([what]);
      expect(`${what}: ${words}`).not.toMatch(/(?!\n)\p{Cc}|[\u202A-\u202E\u2066-\u2069]/u);
      expect(`${what}: ${title}`).not.toContain('\n');
      expect(`${what}: ${message}`).toMatch(/\nwords one\n[^]*words two[^]*\nwords three\n/);
      expect(message.slice(trailers)).toBe(
        '\n\nAirlock-Task: gh-1-c7\nCo-authored-by: mona <5+mona@users.noreply.github.com>',
      );
    }
  });
});

const names = { person: () => null, channel: () => null };

function inSlack(text: string) {
  const messages = outcomes(text).map((outcome) => taskMessage(viewWith(text, outcome), slackMention));
  const pieces = messages
    .flatMap(({ blocks }) => textsOf(blocks).mrkdwn)
    .flatMap((one) => mrkdwnPieces(one, names));
  return {
    messages,
    read: pieces
      .map((piece) => piece.text)
      .join('\n')
      .replaceAll('\u200B', ''),
    active: pieces.filter(
      ({ kind, italic, strike }) => kind === 'mention' || kind === 'link' || italic || strike,
    ),
    prose: pieces.filter(({ kind }) => kind === 'text').map((piece) => piece.text),
  };
}

describe('in Slack and in a terminal', () => {
  const ordinary = inSlack('x');

  it('shows each answer as words', () => {
    for (const { what, text } of modelAnswers) {
      const { messages, read, active, prose } = inSlack(text);
      expect([what, active]).toEqual([what, ordinary.active]);
      expect(`${what}: ${read}`).toMatch(/words one[^]*words two[^]*words three/);
      expect(`${what}: ${prose.join('\n')}`).not.toMatch(/@[\w-]|:\/\/|:[\w+-]*[a-z+][\w+-]*:|`/i);
      const shown = messages.flatMap((message) => slackMessageLines(message, names, 80));
      const lines = [...shown, outcomeLine({ kind: 'no-change', summary: text })];
      expect(`${what}: ${stripVTControlCharacters(lines.join(' '))}`).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
  });
});
