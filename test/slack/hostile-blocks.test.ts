/** Hostile input: the messages to Slack are valid, and the input has no effect in them. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageProblems, viewProblems } from '../../simulators/slack/block-limits.ts';
import { buttonValueSchema } from '../../src/slack/names.ts';
import { logView } from '../../src/slack/log-view.ts';
import { taskMessage } from '../../src/slack/task-message.ts';
import { slackMention } from '../fixtures/sample-view.ts';
import { hostileEvents, hostileView, textsOf } from './hostile-views.ts';

/** The only brackets that Airlock writes: the requester's mention, and links to plain URLs. */
const ours = /<@U1>|<https?:\/\/[A-Za-z0-9.-]+(?::\d+)?(?:[/?#][^<>|\s]*)?\|[^<>|]*(?:\|[^<>|]*)*>/g;
const fences = /```\n(?:(?!```)[^])*\n```/g;
const spans = /`[^`\n]+`/g;

function inert(mrkdwn: string): string {
  return mrkdwn.replace(ours, '').replace(fences, '').replace(spans, '');
}

describe('a task’s message', () => {
  it('is valid, and no input in it notifies, links or formats', () => {
    fc.assert(
      fc.property(hostileView, (view) => {
        const { brief, ...message } = taskMessage(view, slackMention);
        expect(messageProblems(message)).toEqual([]);
        for (const text of [message.text, brief, ...textsOf(message.blocks).mrkdwn]) {
          expect(text.replace(ours, '')).not.toMatch(/[<>]/);
          expect(inert(text)).not.toContain('`');
          expect(inert(text)).not.toMatch(/@(?!\u200B)/);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('has buttons whose values can be parsed when they return', () => {
    fc.assert(
      fc.property(hostileView, (view) => {
        const values = JSON.stringify(taskMessage(view, slackMention)).matchAll(
          /"value":"((?:[^"\\]|\\.)*)"/g,
        );
        for (const [, value] of values) {
          const sent: unknown = JSON.parse(`"${value ?? ''}"`);
          expect(buttonValueSchema.parse(JSON.parse(String(sent))).taskId).toBe(view.taskId);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('a task’s log', () => {
  it('is valid, and nothing in it notifies, links or formats', () => {
    fc.assert(
      fc.property(hostileView, hostileEvents, (view, events) => {
        const modal = logView(view, events);
        expect(viewProblems(modal)).toEqual([]);
        for (const text of textsOf(modal.blocks).mrkdwn) {
          expect(text).not.toMatch(/[<>]/);
          expect(inert(text)).not.toContain('`');
        }
      }),
      { numRuns: 60 },
    );
  });
});
