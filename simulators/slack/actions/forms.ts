/** Opens, searches, chooses, submits, closes. `forms.ts` has the client's own validation. */
import { z } from 'zod';
import { optionsProblems } from '../block-limits.ts';
import { elementsOf, type InteractiveElement } from '../blocks.ts';
import type { SlackSimulator } from '../contract.ts';
import type { Answer, Interaction, OpenView, Option, Submission } from '../contract-views.ts';
import { clientValidationError, enterValue, fieldsOf, optionsIn, selectOption, type Form } from '../forms.ts';
import { jsonOf, listOf, parseJsonObject, textOf } from '../json-values.ts';
import { checkView } from '../methods/views.ts';
import { plainText, typedBlocks } from '../blocks.ts';
import { asJson } from '../payloads/envelope.ts';
import {
  blockSuggestion,
  optionSelected,
  viewClosed,
  viewSubmission,
  type MessageLocation,
} from '../payloads/interactions.ts';
import type { Site } from '../site.ts';
import type { Person } from '../workspace.ts';
import { interact, interaction } from './interaction.ts';
import { locateMessage, typeCommand } from './messages.ts';

type Input<Action extends keyof SlackSimulator> = SlackSimulator[Action] extends (
  input: infer Given,
) => unknown
  ? Given
  : never;

export function openViews(site: Site, user?: string): readonly OpenView[] {
  const person = user === undefined ? null : site.workspace.person(user);
  return site.forms
    .openForms()
    .filter((form) => person === null || form.person.id === person.id)
    .map(viewOf);
}

function viewOf({ id, person, document }: Form): OpenView {
  return {
    id,
    userId: person.id,
    callbackId: textOf(document['callback_id']),
    title: plainText(document['title']),
    blocks: typedBlocks(document['blocks']),
    privateMetadata: textOf(document['private_metadata']),
    hash: textOf(document['hash']),
  };
}

export async function openForm(
  site: Site,
  input: Input<'openForm'>,
): Promise<{ readonly interaction: Interaction; readonly view: OpenView }> {
  const before = new Set(openViews(site, input.user).map(({ id }) => id));
  const command = await typeCommand(site, { ...input, text: input.text ?? '' });
  const view = openViews(site, input.user).findLast(({ id }) => !before.has(id));
  if (view === undefined)
    throw new Error(
      `no form was opened; the app answered ${command.status ?? command.error}: ${command.body}`,
    );
  return { interaction: command, view };
}

export async function choose(
  site: Site,
  input: Input<'choose'>,
): Promise<{ readonly answer: Answer; readonly options: readonly Option[] }> {
  const person = site.workspace.person(input.user);
  const form = site.forms.opened(input.viewId, person);
  const field = fieldsOf(form).find(({ blockId }) => blockId === input.blockId);
  if (field === undefined) throw new Error(`the form has no field ${input.blockId}`);
  const found = await fetchOptions(site, person, field, input.query, form);
  if (input.pick !== undefined) selectOption(form, field, found.options, input.pick);
  return found;
}

export async function chooseInMessage(site: Site, input: Input<'chooseInMessage'>): Promise<Interaction> {
  const { person, channel, message } = locateMessage(site, input);
  const menus = elementsOf(listOf(message.document['blocks'])).filter(({ element }) =>
    textOf(element['type']).endsWith('_select'),
  );
  const menu = menus.find(({ element }) => textOf(element['action_id']) === input.menu);
  if (menu === undefined) throw new Error(`the message has no menu ${input.menu}`);
  const place: MessageLocation = { channel, message };
  const options =
    menu.element['type'] === 'external_select'
      ? (await fetchOptions(site, person, menu, input.query ?? '', place)).options
      : optionsIn(menu.element);
  const option = options.find(({ text, value }) => value === input.pick || text === input.pick);
  if (option === undefined)
    throw new Error(`no option ${input.pick} among ${options.map(({ text }) => text).join(', ')}`);
  return await interact(
    site,
    { person, channel, threadTs: message.threadTs, messageTs: message.ts },
    'interaction',
    (ids) => ({
      name: 'block_actions',
      payload: asJson(optionSelected(site, person, place, menu, option, ids)),
    }),
  );
}

/** Rejects where Slack's client would show “Result not found”: an unusable answer. */
async function fetchOptions(
  site: Site,
  person: Person,
  field: InteractiveElement,
  query: string,
  at: Form | MessageLocation,
): Promise<{ readonly answer: Answer; readonly options: readonly Option[] }> {
  if (field.element['type'] !== 'external_select')
    throw new Error(`${field.blockId} is not an external select`);
  // Three by default:
  // https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element#external_select
  const least = Number(field.element['min_query_length'] ?? 3);
  if (query.length < least)
    throw new Error(`${field.blockId}: Slack asks the app for options only from ${least} characters on`);
  const answer = await site.deliveries.send({
    kind: 'options',
    name: 'block_suggestion',
    payload: asJson(blockSuggestion(site, person, field, query, at)),
  });
  const given = parseJsonObject(answer.body);
  if (answer.status !== 200 || given === null)
    throw new Error(`the app offered no options: ${answer.status ?? answer.error} ${answer.body}`);
  const problems = optionsProblems(given);
  if (problems.length > 0)
    throw new Error(problems.map(({ path, message }) => `options: ${path}: ${message}`).join('\n'));
  return { answer, options: optionsIn(given) };
}

/** https://docs.slack.dev/surfaces/modals#response_actions */
const responseSchema = z.discriminatedUnion('response_action', [
  z.object({ response_action: z.literal('errors'), errors: z.record(z.string(), z.string().min(1)) }),
  z.object({ response_action: z.enum(['update', 'push']), view: z.unknown() }),
  z.object({ response_action: z.literal('clear') }),
]);

export async function submitView(site: Site, input: Input<'submitView'>): Promise<Submission> {
  const person = site.workspace.person(input.user);
  const form = site.forms.opened(input.viewId, person);
  for (const [blockId, value] of Object.entries(input.values)) enterValue(form, blockId, value);
  const refusal = clientValidationError(form);
  if (refusal !== null) throw new Error(refusal);
  const triggerId = site.triggers.make(person, form.id);
  const answer = await site.deliveries.send({
    kind: 'interaction',
    name: 'view_submission',
    payload: asJson(viewSubmission(site, form, triggerId)),
  });
  return { ...interaction(answer, triggerId, []), ...(await applyResponse(site, form, answer)) };
}

async function applyResponse(
  site: Site,
  form: Form,
  answer: Answer,
): Promise<Pick<Submission, 'outcome' | 'errors'>> {
  if (answer.status !== 200) return { outcome: 'failed', errors: {} };
  if (answer.body.trim() === '' || answer.body.trim() === '{}') {
    form.open = false;
    return { outcome: 'closed', errors: {} };
  }
  const response = responseSchema.safeParse(parseJsonObject(answer.body)).data;
  switch (response?.response_action) {
    case undefined:
      return { outcome: 'failed', errors: {} };
    case 'clear':
      for (const one of site.forms.openForms()) if (one.person.id === form.person.id) one.open = false;
      return { outcome: 'closed', errors: {} };
    case 'errors': {
      // Slack shows errors only below input blocks; an error for any other block fails the submission.
      const inputs = new Set(fieldsOf(form).map(({ blockId }) => blockId));
      const known = Object.keys(response.errors).every((blockId) => inputs.has(blockId));
      return known ? { outcome: 'errors', errors: response.errors } : { outcome: 'failed', errors: {} };
    }
    case 'update':
    case 'push':
      return await showNextView(site, form, response.response_action, response.view);
  }
}

async function showNextView(
  site: Site,
  form: Form,
  action: 'update' | 'push',
  view: unknown,
): Promise<Pick<Submission, 'outcome' | 'errors'>> {
  const checked = checkView(view);
  if (!checked.ok) return { outcome: 'failed', errors: {} };
  const { emulated } = site;
  if (action === 'update') {
    const answer = await emulated.call('views.update', { view_id: form.id, view: checked.view }, 'service');
    site.forms.change(form.id, jsonOf(answer['view']));
    return { outcome: 'updated', errors: {} };
  }
  const trigger = await emulated.call(
    'views.generateTriggerId',
    { user_id: form.person.id, view_id: form.id },
    'service',
  );
  const pushed = { trigger_id: trigger['trigger_id'], view: checked.view };
  const answer = await emulated.call('views.push', pushed, 'service');
  if (answer['ok'] !== true) return { outcome: 'failed', errors: {} };
  site.forms.add(form.person, jsonOf(answer['view']));
  return { outcome: 'pushed', errors: {} };
}

export async function closeView(site: Site, input: Input<'closeView'>): Promise<void> {
  const form = site.forms.opened(input.viewId, site.workspace.person(input.user));
  form.open = false;
  if (form.document['notify_on_close'] === true)
    await site.deliveries.send({
      kind: 'interaction',
      name: 'view_closed',
      payload: asJson(viewClosed(site, form)),
    });
}
