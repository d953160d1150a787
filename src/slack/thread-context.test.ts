import { describe, expect, it } from 'vitest';
import type { ChatPerson } from '../core/chat.ts';
import { taskMetadata } from './task-metadata.ts';
import { eligibleMessages, peopleToLookUp, threadContextOf } from './thread-context.ts';

const triggeredAt = '2026-11-21T06:00:00.000Z';
const seconds = Date.parse(triggeredAt) / 1000;
const ts = (offset: number): string => `${seconds + offset}.000100`;
const trigger = { event: 'mention' as const, messageTs: ts(0), triggeredAt };
const said = (offset: number, more: object = {}) => ({
  type: 'message',
  user: 'U1',
  text: 'words',
  ts: ts(offset),
  ...more,
});

const person = (userId: string, name: string, kind: ChatPerson['kind'] = 'member'): ChatPerson => ({
  userId,
  teamId: 'T1',
  name,
  kind,
  groups: [],
});
const people = new Map([
  ['U1', person('U1', 'Maria')],
  ['U2', person('U2', 'Gil', 'guest')],
  ['U3', person('U3', 'Stan', 'stranger')],
  ['U4', person('U4', 'Dee', 'deactivated')],
  ['U5', person('U5', 'robot', 'bot')],
]);
const contextOf = (messages: readonly unknown[], of = trigger) =>
  threadContextOf(eligibleMessages(messages, of), people);

describe('the context of a thread', () => {
  it.each<[string, object, boolean]>([
    ['of a member', {}, true],
    ['of a guest', { user: 'U2' }, true],
    ['of a deactivated user', { user: 'U4' }, true],
    ['with a file', { subtype: 'file_share' }, true],
    ['also sent to the channel', { subtype: 'thread_broadcast' }, true],
    ['edited before the trigger', { edited: { ts: ts(-5) } }, true],
    ['of a stranger', { user: 'U3' }, false],
    ['of an unknown user', { user: 'U9' }, false],
    ['of a bot', { user: 'U5' }, false],
    ['of an app in a user’s name', { bot_id: 'B1' }, false],
    ['of an app, by its app id', { app_id: 'A1' }, false],
    ['that reports a join', { subtype: 'channel_join' }, false],
    ['without an author', { user: undefined }, false],
    ['edited after the trigger', { edited: { ts: ts(1) } }, false],
    ['written after the trigger', { ts: ts(1) }, false],
    ['written 2 ms after the trigger', { ts: `${seconds}.002000` }, false],
    ['in an unknown format', { ts: 'yesterday' }, false],
  ])('includes or leaves out a message %s (%j)', (_, more, kept) => {
    const context = contextOf([said(-10, more)]);
    expect([context.messages.length, context.messagesLeftOut]).toEqual(kept ? [1, 0] : [0, 1]);
  });

  it('omits the triggering message and Airlock’s own ones without counting them', () => {
    const ours = said(-5, { bot_id: 'B1', metadata: taskMetadata('slack-0', null) });
    expect(contextOf([said(-10), ours, said(0)])).toMatchObject({ messages: [{}], messagesLeftOut: 0 });
  });

  it('includes the message on which a form was opened, because the submitted text can differ', () => {
    const form = { ...trigger, event: 'form' as const, messageTs: ts(-10) };
    expect(eligibleMessages([said(-10)], form).messages).toHaveLength(1);
  });

  it('has the text as people saw it, with names and files', () => {
    const context = contextOf([
      said(-10, {
        text: '<@U2> look at <https://a.example|this> &amp; `a &lt; b`',
        files: [{ name: 'log.txt' }, { name: null, title: 'Shot' }],
      }),
    ]);
    expect(context.messages).toEqual([
      {
        author: 'Maria',
        createdAt: '2026-11-21T05:59:50.000Z',
        text: '@Gil look at this (https://a.example) & `a < b`',
        files: ['log.txt', 'Shot'],
      },
    ]);
  });

  it('has words that only blocks have', () => {
    const blocks = [{ type: 'table', rows: [[{ type: 'raw_text', text: 'id' }]] }];
    expect(contextOf([said(-10, { text: 'see', blocks })]).messages[0]?.text).toBe('see\nid');
  });

  it('keeps the root and the latest messages of a long thread', () => {
    const long = Array.from({ length: 400 }, (_, n) =>
      said(n - 1000, { text: `message ${n} ${'x'.repeat(500)}` }),
    );
    const { messages, messagesLeftOut } = contextOf(long);
    expect(messages[0]?.text).toMatch(/^message 0 /);
    expect(messages.at(-1)?.text).toMatch(/^message 399 /);
    expect(messages.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(60_000);
    expect(messages.length + messagesLeftOut).toBe(400);
    const many = Array.from({ length: 400 }, (_, n) => said(n - 1000));
    expect(contextOf(many).messages).toHaveLength(200);
  });
});

it('looks up at most 50 users, authors of the latest messages first', () => {
  const { messages } = eligibleMessages(
    Array.from({ length: 80 }, (_, n) => said(n - 100, { user: `U1${n}`, text: '<@U7>' })),
    trigger,
  );
  const ids = peopleToLookUp(messages);
  expect(ids).toHaveLength(50);
  expect(ids[0]).toBe('U179');
});

describe('the triggering message', () => {
  it('contributes the known names of mentioned users, and its file names', () => {
    const asking = {
      ts: ts(0),
      user: 'U1',
      text: 'as <@U2> and <@U9|label> said',
      files: [{ name: 'error.log' }, { title: 'A\nscreenshot' }],
    };
    expect(threadContextOf({ messages: [], leftOut: 0 }, people, asking).asking).toEqual({
      names: { U2: 'Gil' },
      files: ['error.log', 'A screenshot'],
    });
    expect(contextOf([]).asking).toBeUndefined();
  });
});
