/** Forms: trigger ids, options from the app, client-side validation, and the app's answer to a submission. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SlackSimulator } from '../../../simulators/slack/contract.ts';
import { caller, form, payloadIn, startWorkspace, TestApp } from './workspace.ts';

let slack: SlackSimulator;
let app: TestApp;
let call: ReturnType<typeof caller>;
beforeAll(async () => {
  app = await TestApp.start();
  slack = await startWorkspace({ requestUrl: `${app.url}/slack/events` });
  call = caller(slack);
});
afterAll(async () => {
  await slack.close();
  await app.stop();
});
beforeEach(() => {
  app.received.length = 0;
  app.answer = () => ({});
});
afterEach(() => {
  vi.useRealTimers();
});

/** Makes the app open the form on a command or click, and answer other requests with `answer`. */
function openFormOnTrigger(answer: (payload: Record<string, unknown>) => unknown = () => ''): void {
  app.answer = async (received) => {
    const trigger = new URLSearchParams(received.body).get('trigger_id');
    if (trigger === null) return { body: answer(payloadIn(received)) };
    expect(await call('views.open', { trigger_id: trigger, view: form })).toMatchObject({ ok: true });
    return {};
  };
}

describe('a form', () => {
  const open = () => slack.openForm({ user: 'ada', channel: 'shop' });

  it('opens once per trigger id, and only within three seconds', async () => {
    const view = { ...form };
    const { triggerId } = await slack.slashCommand({ user: 'ada', channel: 'shop', text: '' });
    expect(await call('views.open', { trigger_id: '1.2.x', view })).toMatchObject({
      error: 'invalid_trigger_id',
    });
    expect(await call('views.open', { trigger_id: triggerId, view })).toMatchObject({ ok: true });
    expect(await call('views.open', { trigger_id: triggerId, view })).toMatchObject({
      error: 'exchanged_trigger_id',
    });
    const late = await slack.slashCommand({ user: 'ada', channel: 'shop', text: '' });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_001 });
    expect(await call('views.open', { trigger_id: late.triggerId, view })).toMatchObject({
      error: 'expired_trigger_id',
    });
  });

  it('is refused beyond Slack’s limits without using up its trigger id', async () => {
    const { triggerId } = await slack.slashCommand({ user: 'ada', channel: 'shop', text: '' });
    const view = { ...form, title: { type: 'plain_text', text: 'x'.repeat(25) } };
    expect(await call('views.open', { trigger_id: triggerId, view })).toMatchObject({
      error: 'invalid_arguments',
    });
    expect(await call('views.open', { trigger_id: triggerId, view: form })).toMatchObject({ ok: true });
  });

  it('requests options from the app and submits the chosen one', async () => {
    const options = [{ text: { type: 'plain_text', text: 'acme/shop' }, value: 'acme/shop' }];
    openFormOnTrigger(({ type }) => (type === 'block_suggestion' ? { options } : ''));
    const { view } = await open();
    const chosen = await slack.choose({
      user: 'ada',
      viewId: view.id,
      blockId: 'repository',
      query: 'sh',
      pick: 'acme/shop',
    });
    expect(chosen.options).toEqual([{ text: 'acme/shop', value: 'acme/shop' }]);
    const sent = await slack.submitView({ user: 'ada', viewId: view.id, values: { words: 'do this' } });
    expect(sent.outcome).toBe('closed');
    expect(slack.views('ada').map(({ id }) => id)).not.toContain(view.id);
    expect(payloadIn(app.received.at(-1) ?? { headers: {}, body: '' })).toMatchObject({
      type: 'view_submission',
      user: { id: slack.user('ada').id },
      view: {
        id: view.id,
        callback_id: 'form',
        state: {
          values: {
            words: { words: { type: 'plain_text_input', value: 'do this' } },
            repository: { repository: { type: 'external_select', selected_option: { value: 'acme/shop' } } },
          },
        },
      },
    });
  });

  it.each([
    ['a required field is empty', { words: null }, 'Please complete this required field'],
    ['a text is too long', { words: 'x'.repeat(11) }, 'no more than 10 characters'],
    ['an option was never offered', { words: 'x', repository: 'acme/else' }, 'choose acme/else first'],
    ['a field does not exist', { words: 'x', color: 'red' }, 'no field color'],
  ])('is not submitted if %s', async (_, values, sentence) => {
    openFormOnTrigger();
    const { view } = await open();
    app.received.length = 0;
    await expect(slack.submitView({ user: 'ada', viewId: view.id, values })).rejects.toThrow(sentence);
    expect(app.received).toEqual([]);
  });

  it.each([
    [
      'errors for its fields',
      { response_action: 'errors', errors: { words: 'No.' } },
      'errors',
      { words: 'No.' },
    ],
    ['errors for an unknown field', { response_action: 'errors', errors: { nothing: 'No.' } }, 'failed', {}],
    ['another view', { response_action: 'update', view: form }, 'updated', {}],
    ['a view beyond the limits', { response_action: 'update', view: { ...form, blocks: 1 } }, 'failed', {}],
    ['an instruction to close all', { response_action: 'clear' }, 'closed', {}],
    ['an unknown body', 'thank you', 'failed', {}],
  ])('handles an answer with %s as Slack does', async (_, body, outcome, errors) => {
    openFormOnTrigger(() => body);
    const { view } = await open();
    const sent = await slack.submitView({ user: 'ada', viewId: view.id, values: { words: 'x' } });
    expect(sent).toMatchObject({ outcome, errors });
    expect(slack.views('ada').some(({ id }) => id === view.id)).toBe(outcome !== 'closed');
  });

  it('can be submitted only by the user who opened it', async () => {
    openFormOnTrigger();
    const { view } = await open();
    await expect(slack.submitView({ user: 'bob', viewId: view.id, values: {} })).rejects.toThrow(
      'no open view',
    );
  });
});
