/**
 * Open forms as a person's client holds them: what is entered in which field, and what the client refuses to send. Supports
 * text fields and single selects; another kind of input is refused by name, not guessed at.
 */
import type { ViewStateValue } from '@slack/bolt';
import { elementsOf, plainText, type PlacedElement } from './blocks.ts';
import type { Option } from './contract-views.ts';
import { isJson, jsonOf, listOf, textOf, type Json } from './json-values.ts';
import type { Person } from './workspace.ts';

export interface Form {
  readonly id: string;
  readonly person: Person;
  /** As `views.open` answered it. */
  document: Json;
  /** By block id: the state of its one element. */
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

  /** What was entered stays where the field stays, as in Slack. */
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

  /** Throws unless this person has it open. */
  opened(id: string, person: Person): Form {
    const form = this.all.get(id);
    if (form === undefined || !form.open || form.person.id !== person.id)
      throw new Error(`${person.name} has no open view ${id}`);
    return form;
  }

  openOnes(): readonly Form[] {
    return [...this.all.values()].filter(({ open }) => open);
  }
}

export function fieldsOf(form: Form): readonly PlacedElement[] {
  return elementsOf(listOf(form.document['blocks'])).filter(({ element }) => element['type'] !== 'button');
}

/** `state.values` of a submission: by block id, then by action id. */
export function stateOf(form: Form): Record<string, Record<string, ViewStateValue>> {
  return Object.fromEntries(
    fieldsOf(form).map(({ blockId, element }) => [
      blockId,
      { [textOf(element['action_id'])]: form.values.get(blockId) ?? emptyValue(element) },
    ]),
  );
}

/** Enters a text, or takes an option of a static select or the one that was chosen. Throws where a person could not. */
export function enter(form: Form, blockId: string, value: string | null): void {
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
      take(form, field, optionsIn(element), value);
      return;
    case 'external_select': {
      const chosen = form.values.get(blockId)?.selected_option;
      if (chosen?.value === value || chosen?.text.text === value) return;
      throw new Error(`${blockId}: options of this menu come from the app; choose ${value} first`);
    }
    default:
      throw new Error(`${blockId}: the simulator does not know inputs of type ${textOf(element['type'])}`);
  }
}

/** Takes an option that is offered, by its text or value. */
export function take(form: Form, field: PlacedElement, options: readonly Option[], wanted: string): Option {
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

/** Options of a select or of an answer to `block_suggestion`, groups laid flat. */
export function optionsIn(source: Json): readonly Option[] {
  return [
    ...listOf(source['options']),
    ...listOf(source['option_groups']).flatMap((one) => listOf(one['options'])),
  ].map((option) => ({ text: plainText(option['text']), value: textOf(option['value']) }));
}

/** What Slack's client says instead of sending the form; null when it sends. */
export function clientRefusal(form: Form): string | null {
  for (const { blockId, block, element } of fieldsOf(form)) {
    const value = form.values.get(blockId);
    const text = value?.value ?? '';
    const given = text !== '' || (value?.selected_option ?? null) !== null;
    if (block['type'] === 'input' && block['optional'] !== true && !given)
      return `${blockId}: Please complete this required field.`;
    const { min_length: least, max_length: most } = element;
    if (text !== '' && typeof least === 'number' && text.length < least)
      return `${blockId}: Please enter at least ${least} characters.`;
    if (typeof most === 'number' && text.length > most)
      return `${blockId}: Please enter no more than ${most} characters.`;
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
