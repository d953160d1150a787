/**
 * The form that asks for a task: `/codex` alone, the message shortcut and Change open it. Pure data; what is entered is
 * checked by whoever receives it.
 */
import type { ModalView, PlainTextElement, PlainTextOption } from '@slack/types';
import type { RepositoryRef } from '../core/task.ts';
import { plainLine } from './mrkdwn.ts';
import { callbackIds, formFields, type FormMetadata } from './names.ts';
import { headOf } from '../lib/cut-text.ts';

/** Slack's own limits: https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element, …/composition-objects/option-object. */
const maxInstruction = 3000;
const maxOptions = 100;
const maxOptionText = 75;
const maxOptionValue = 150;
/** GitHub's limit of a branch name. */
const maxBranch = 255;
/** Of a context block's text, as of a section's. */
const maxNote = 3000;

export interface TaskFormInput {
  readonly metadata: FormMetadata;
  readonly repository: RepositoryRef | null;
  readonly branch: string | null;
  readonly instruction: string | null;
  /** Whether sending it cancels the task that `metadata` names. */
  readonly replacing: boolean;
}

function plain(text: string): PlainTextElement {
  return { type: 'plain_text', text, emoji: false };
}

/** The value is the whole name; null for the rare one that is longer than an option can be: it has to be typed in a command. */
function repositoryOption(repository: RepositoryRef): PlainTextOption | null {
  const name = `${repository.owner}/${repository.name}`;
  return name.length > maxOptionValue ? null : { text: plain(plainLine(name, maxOptionText)), value: name };
}

/** The answer to a `block_suggestion`: at most 100 options, in the order given. */
export function repositoryOptions(matches: readonly RepositoryRef[]): { options: PlainTextOption[] } {
  const options = matches.map(repositoryOption).filter((option) => option !== null);
  return { options: options.slice(0, maxOptions) };
}

/** As much of a text as the field takes, never half a character; and how many characters are left out. */
function fitInstruction(text: string): { readonly kept: string; readonly left: number } {
  const kept = headOf(text, maxInstruction);
  return { kept, left: text.length - kept.length };
}

/** What the task is asked with beside the fields, as one would write it; null for nothing. */
function optionsNote({ options }: FormMetadata): string | null {
  const written = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `--${name} ${value}`);
  return written.length === 0 ? null : `As before, it runs with ${written.join(' ')}.`;
}

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
              text: plain('Sending this cancels the task that runs now and starts a new one in its place.'),
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
          // The whole list is there before the first letter is typed.
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
        hint: plain('Codex starts from it, and the pull request goes into it. Empty: the default branch.'),
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
                `The message is too long for a form: its last ${left.toLocaleString('en')} characters are missing here. Shorten it, or say where the rest stands.`,
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
