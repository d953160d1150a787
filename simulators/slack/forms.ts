/** The client-side state of forms, with its validation, for text inputs and single selects. */
import type { ViewStateValue } from '@slack/bolt';
import { elementsOf, plainText, type InteractiveElement } from './blocks.ts';
import type { Option } from './contract-views.ts';
import { isJson, jsonOf, listOf, textOf, type Json } from './json-values.ts';
import type { Person } from './workspace.ts';

export interface Form {
  readonly id: string;
  readonly person: Person;
  /** The view that `views.open` or `views.update` returned. */
  document: Json;
  /** The state of each block's element, by block id. */
  readonly values: Map<string, ViewStateValue>;
  open: boolean;
}

export class Forms {
  private readonly all = new Map<string, Form>();

  add(person: Person, document: Json): Form {
    const form: Form = { id: textOf(document['id']), person, document, values: new Map(), open: true };
    this.all.set(form.id, form);
    enterInitialValues(form);
    return form;
  }

  /** Replaces the view. As in Slack, fields that remain keep their values. */
  change(id: string, document: Json): void {
    const form = this.all.get(id);
    if (form === undefined) return;
    form.document = document;
    const fields = new Set(fieldsOf(form).map(({ blockId }) => blockId));
    for (const blockId of form.values.keys()) if (!fields.has(blockId)) form.values.delete(blockId);
    enterInitialValues(form);
  }

  find(id: string): Form | null {
    return this.all.get(id) ?? null;
  }

  /** Finds an open form. Throws unless this user has it open. */
  opened(id: string, person: Person): Form {
    const form = this.all.get(id);
    if (form === undefined || !form.open || form.person.id !== person.id)
      throw new Error(`${person.name} has no open view ${id}`);
    return form;
  }

  openForms(): readonly Form[] {
    return [...this.all.values()].filter(({ open }) => open);
  }
}

export function fieldsOf(form: Form): readonly InteractiveElement[] {
  return elementsOf(listOf(form.document['blocks'])).filter(({ element }) => element['type'] !== 'button');
}

/** The `state.values` of a submission, by block id and action id. */
export function stateOf(form: Form): Record<string, Record<string, ViewStateValue>> {
  return Object.fromEntries(
    fieldsOf(form).map(({ blockId, element }) => [
      blockId,
      { [textOf(element['action_id'])]: form.values.get(blockId) ?? emptyValue(element) },
    ]),
  );
}

/** Null clears the field. An external select must have the option chosen already. */
export function enterValue(form: Form, blockId: string, value: string | null): void {
  const field = fieldsOf(form).find((one) => one.blockId === blockId);
  if (field === undefined) throw new Error(`the form has no field ${blockId}`);
  const { element } = field;
  if (value === null) {
    form.values.set(blockId, emptyValue(element));
    return;
  }
  switch (element['type']) {
    case 'plain_text_input':
      form.values.set(blockId, { type: 'plain_text_input', value: value === '' ? null : value });
      return;
    case 'static_select':
      selectOption(form, field, optionsIn(element), value);
      return;
    case 'external_select': {
      const chosen = form.values.get(blockId)?.selected_option;
      if (chosen?.value === value || chosen?.text.text === value) return;
      throw new Error(`${blockId}: choose ${value} first, because the app provides the options of this menu`);
    }
    default:
      throw new Error(`${blockId}: the simulator does not support inputs of type ${textOf(element['type'])}`);
  }
}

/** Selects one of the offered options by its text or value. Throws if it is not offered. */
export function selectOption(
  form: Form,
  field: InteractiveElement,
  options: readonly Option[],
  wanted: string,
): Option {
  const option = options.find(({ text, value }) => value === wanted || text === wanted);
  if (option === undefined)
    throw new Error(
      `${field.blockId}: no option ${wanted} among ${options.map(({ text }) => text).join(', ')}`,
    );
  form.values.set(field.blockId, {
    type: textOf(field.element['type']),
    selected_option: { text: { type: 'plain_text', text: option.text, emoji: true }, value: option.value },
  });
  return option;
}

/** The options of a select or a `block_suggestion` answer, with option groups flattened. */
export function optionsIn(source: Json): readonly Option[] {
  return [
    ...listOf(source['options']),
    ...listOf(source['option_groups']).flatMap((one) => listOf(one['options'])),
  ].map((option) => ({ text: plainText(option['text']), value: textOf(option['value']) }));
}

/** The validation message of Slack's client, or null if the form can be submitted. */
export function clientValidationError(form: Form): string | null {
  for (const { blockId, block, element } of fieldsOf(form)) {
    const value = form.values.get(blockId);
    const text = value?.value ?? '';
    const given = text !== '' || (value?.selected_option ?? null) !== null;
    if (block['type'] === 'input' && block['optional'] !== true && !given)
      return `${blockId}: Please complete this required field.`;
    const { min_length: least, max_length: most } = element;
    if (text !== '' && typeof least === 'number' && text.length < least)
      return `${blockId}: Please enterValue at least ${least} characters.`;
    if (typeof most === 'number' && text.length > most)
      return `${blockId}: Please enterValue no more than ${most} characters.`;
  }
  return null;
}

function enterInitialValues(form: Form): void {
  for (const { blockId, element } of fieldsOf(form)) {
    if (form.values.has(blockId)) continue;
    const option = jsonOf(element['initial_option']);
    const type = textOf(element['type']);
    if (isJson(element['initial_option']))
      form.values.set(blockId, {
        type,
        selected_option: {
          text: { type: 'plain_text', text: plainText(option['text']), emoji: true },
          value: textOf(option['value']),
        },
      });
    else if (textOf(element['initial_value']) !== '')
      form.values.set(blockId, { type, value: textOf(element['initial_value']) });
  }
}

function emptyValue(element: Json): ViewStateValue {
  const type = textOf(element['type']);
  return type === 'plain_text_input' ? { type, value: null } : { type, selected_option: null };
}
