/** Forms: trigger ids that expire, options from the app, what the client does not send, and what becomes of an answer. */
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

/** Opens the form when a command or click comes; answers everything else as told. */
function openingForm(answer: (payload: Record<string, unknown>) => unknown = () => ''): void {
  app.answer = async (received) => {
    const trigger = new URLSearchParams(received.body).get('trigger_id');
    if (trigger === null) return { body: answer(payloadIn(received)) };
    expect(await call('views.open', { trigger_id: trigger, view: form })).toMatchObject({ ok: true });
    return {};
  };
}

describe('a form', () => {
  const open = () => slack.openForm({ user: 'ada', channel: 'shop' });

  it('opens with the trigger of a command, once, and not after three seconds', async () => {
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

  it('beyond Slack’s limits is refused, and its trigger is still good', async () => {
    const { triggerId } = await slack.slashCommand({ user: 'ada', channel: 'shop', text: '' });
    const view = { ...form, title: { type: 'plain_text', text: 'x'.repeat(25) } };
    expect(await call('views.open', { trigger_id: triggerId, view })).toMatchObject({
      error: 'invalid_arguments',
    });
    expect(await call('views.open', { trigger_id: triggerId, view: form })).toMatchObject({ ok: true });
  });

  it('asks the app for options, and is sent with what was chosen', async () => {
    const options = [{ text: { type: 'plain_text', text: 'acme/shop' }, value: 'acme/shop' }];
    openingForm(({ type }) => (type === 'block_suggestion' ? { options } : ''));
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
    ['a field is not there', { words: 'x', color: 'red' }, 'no field color'],
  ])('is not sent when %s', async (_, values, sentence) => {
    openingForm();
    const { view } = await open();
    app.received.length = 0;
    await expect(slack.submitView({ user: 'ada', viewId: view.id, values })).rejects.toThrow(sentence);
    expect(app.received).toEqual([]);
  });

  it.each([
    [
      'errors below its fields',
      { response_action: 'errors', errors: { words: 'No.' } },
      'errors',
      { words: 'No.' },
    ],
    ['errors below nothing', { response_action: 'errors', errors: { nothing: 'No.' } }, 'failed', {}],
    ['another view', { response_action: 'update', view: form }, 'updated', {}],
    ['a view beyond the limits', { response_action: 'update', view: { ...form, blocks: 1 } }, 'failed', {}],
    ['the end of all', { response_action: 'clear' }, 'closed', {}],
    ['something else', 'thank you', 'failed', {}],
  ])('shows %s when the app answers so', async (_, body, outcome, errors) => {
    openingForm(() => body);
    const { view } = await open();
    const sent = await slack.submitView({ user: 'ada', viewId: view.id, values: { words: 'x' } });
    expect(sent).toMatchObject({ outcome, errors });
    expect(slack.views('ada').some(({ id }) => id === view.id)).toBe(outcome !== 'closed');
  });

  it('belongs to who opened it', async () => {
    openingForm();
    const { view } = await open();
    await expect(slack.submitView({ user: 'bob', viewId: view.id, values: {} })).rejects.toThrow(
      'no open view',
    );
  });
});
