/** Builds the form that the bare command, the shortcut and the Change button open. */
import type { ModalView, PlainTextElement, PlainTextOption } from '@slack/types';
import type { RepositoryRef } from '../core/task.ts';
import { plainLine } from './mrkdwn.ts';
import { callbackIds, formFields, type FormMetadata } from './names.ts';
import { headOf } from '../lib/cut-text.ts';

/** Of docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element, …/option-object */
const maxInstruction = 3000;
const maxOptions = 100;
const maxOptionText = 75;
const maxOptionValue = 150;
/** GitHub's limit for a branch name. */
const maxBranch = 255;
/** Slack's limit for the text of a context block. */
const maxNote = 3000;

export interface TaskFormInput {
  readonly metadata: FormMetadata;
  readonly repository: RepositoryRef | null;
  readonly branch: string | null;
  readonly instruction: string | null;
  /** Whether submitting cancels the task that `metadata` names. */
  readonly replacing: boolean;
}

function plain(text: string): PlainTextElement {
  return { type: 'plain_text', text, emoji: false };
}

/** The option with the full name as its value; null if the name exceeds Slack's limit. */
function repositoryOption(repository: RepositoryRef): PlainTextOption | null {
  const name = `${repository.owner}/${repository.name}`;
  return name.length > maxOptionValue ? null : { text: plain(plainLine(name, maxOptionText)), value: name };
}

/** The answer to a `block_suggestion`: the first 100 options. */
export function repositoryOptions(matches: readonly RepositoryRef[]): { options: PlainTextOption[] } {
  const options = matches.map(repositoryOption).filter((option) => option !== null);
  return { options: options.slice(0, maxOptions) };
}

/** Without splitting a surrogate pair. `left`: how many characters are omitted. */
function fitInstruction(text: string): { readonly kept: string; readonly left: number } {
  const kept = headOf(text, maxInstruction);
  return { kept, left: text.length - kept.length };
}

/** Shows the options without a field as the user would type them; null if there are none. */
function optionsNote({ options }: FormMetadata): string | null {
  const written = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `--${name} ${value}`);
  return written.length === 0 ? null : `Options kept from the replaced task: ${written.join(' ')}`;
}

/** Builds the form with its initial values, cut to Slack’s limits. */
export function taskForm(input: TaskFormInput): ModalView {
  const chosen = input.repository === null ? null : repositoryOption(input.repository);
  const branch = (input.branch ?? '').slice(0, maxBranch);
  const { kept: instruction, left } = fitInstruction(input.instruction ?? '');
  const note = optionsNote(input.metadata);
  return {
    type: 'modal',
    callback_id: callbackIds.form,
    private_metadata: JSON.stringify(input.metadata),
    title: plain(input.replacing ? 'Change the task' : 'Ask Codex'),
    submit: plain(input.replacing ? 'Replace' : 'Start'),
    close: plain('Close'),
    blocks: [
      ...(input.replacing
        ? [
            {
              type: 'section' as const,
              text: plain('Submitting this form cancels the running task and starts a new one in its place.'),
            },
          ]
        : []),
      {
        type: 'input',
        block_id: formFields.repository,
        label: plain('Repository'),
        element: {
          type: 'external_select',
          action_id: formFields.repository,
          // 0 shows the list before the user types.
          min_query_length: 0,
          placeholder: plain('Search'),
          ...(chosen === null ? {} : { initial_option: chosen }),
        },
      },
      {
        type: 'input',
        block_id: formFields.branch,
        optional: true,
        label: plain('Branch'),
        hint: plain(
          'Codex starts from this branch, and the pull request targets it. Default: the default branch.',
        ),
        element: {
          type: 'plain_text_input',
          action_id: formFields.branch,
          max_length: maxBranch,
          ...(branch === '' ? {} : { initial_value: branch }),
        },
      },
      {
        type: 'input',
        block_id: formFields.instruction,
        label: plain('What should Codex do?'),
        ...(left === 0
          ? {}
          : {
              hint: plain(
                `The message is too long for a form, so its last ${left.toLocaleString('en')} ` +
                  'characters were cut off. Shorten it, or say where to find the rest.',
              ),
            }),
        element: {
          type: 'plain_text_input',
          action_id: formFields.instruction,
          multiline: true,
          min_length: 1,
          max_length: maxInstruction,
          ...(instruction === '' ? {} : { initial_value: instruction }),
        },
      },
      ...(note === null ? [] : [{ type: 'context' as const, elements: [plain(plainLine(note, maxNote))] }]),
    ],
  };
}
