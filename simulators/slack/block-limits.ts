/**
 * Validates messages, modals and `block_suggestion` answers against Slack's limits
 * (https://docs.slack.dev/reference/block-kit/, …/views/modal-views; each limit names its page). Reports
 * blocks that this project does not send, so that a new one gets its limits first.
 */
import { z } from 'zod';

export interface BlockProblem {
  /** Such as `blocks[2].elements[0].text.text`. */
  readonly path: string;
  readonly message: string;
  /** Slack's name for it, if that is not `invalid_blocks`. */
  readonly code?: 'msg_blocks_too_long';
}

/** composition-objects/text-object: 1 to 3,000 characters unless the containing element has a lower limit. */
function plainText(maxChars = 3000) {
  return z.strictObject({
    type: z.literal('plain_text'),
    text: z.string().min(1).max(maxChars),
    emoji: z.boolean().optional(),
  });
}
function mrkdwnText(maxChars = 3000) {
  return z.strictObject({
    type: z.literal('mrkdwn'),
    text: z.string().min(1).max(maxChars),
    verbatim: z.boolean().optional(),
  });
}
function anyText(maxChars = 3000) {
  return z.discriminatedUnion('type', [plainText(maxChars), mrkdwnText(maxChars)]);
}

/** Every interactive element: at most 255 characters. */
const actionId = z.string().min(1).max(255);
/** Every block: at most 255 characters. */
const blockId = z.string().min(1).max(255);

/** composition-objects/confirmation-dialog-object: title 100, text 300, confirm and deny 30. */
const confirm = z.strictObject({
  title: plainText(100),
  text: plainText(300),
  confirm: plainText(30),
  deny: plainText(30),
  style: z.enum(['primary', 'danger']).optional(),
});

/** composition-objects/option-object: text 75, value 150, description 75. */
const option = z.strictObject({
  text: plainText(75),
  value: z.string().min(1).max(150),
  description: plainText(75).optional(),
});
/** The select-menu pages: at most 100 options. */
const options = z.array(option).max(100);
/** block-elements of every select: placeholder at most 150. */
const placeholder = plainText(150);

/** block-elements/button-element: text 75, value 2,000, URL 3,000, accessibility label 75. */
const button = z.strictObject({
  type: z.literal('button'),
  text: plainText(75),
  action_id: actionId,
  value: z.string().max(2000).optional(),
  url: z.url().max(3000).optional(),
  style: z.enum(['primary', 'danger']).optional(),
  confirm: confirm.optional(),
  accessibility_label: z.string().max(75).optional(),
});

/** block-elements/select-menu-element#external_select. */
const externalSelect = z.strictObject({
  type: z.literal('external_select'),
  action_id: actionId,
  placeholder: placeholder.optional(),
  initial_option: option.optional(),
  min_query_length: z.number().int().min(0).optional(),
  confirm: confirm.optional(),
  focus_on_load: z.boolean().optional(),
});

/** block-elements/select-menu-element#static_select. */
const staticSelect = z.strictObject({
  type: z.literal('static_select'),
  action_id: actionId,
  placeholder: placeholder.optional(),
  options: options.min(1),
  initial_option: option.optional(),
  confirm: confirm.optional(),
  focus_on_load: z.boolean().optional(),
});

/** block-elements/plain-text-input-element: lengths between 0 and 3,000. */
const plainTextInput = z
  .strictObject({
    type: z.literal('plain_text_input'),
    action_id: actionId,
    initial_value: z.string().max(3000).optional(),
    multiline: z.boolean().optional(),
    min_length: z.number().int().min(0).max(3000).optional(),
    max_length: z.number().int().min(1).max(3000).optional(),
    placeholder: placeholder.optional(),
    focus_on_load: z.boolean().optional(),
  })
  .refine(
    ({ initial_value: value = '', max_length: max = 3000 }) => value.length <= max || value.length > 3000,
    'initial_value is longer than max_length',
  );

/** blocks/section-block: text 3,000; at most 10 fields of 2,000 each; requires text or fields. */
const section = z
  .strictObject({
    type: z.literal('section'),
    block_id: blockId.optional(),
    text: anyText(3000).optional(),
    fields: z.array(anyText(2000)).min(1).max(10).optional(),
    accessory: z.discriminatedUnion('type', [button, externalSelect, staticSelect]).optional(),
    expand: z.boolean().optional(),
  })
  .refine(({ text, fields }) => text !== undefined || fields !== undefined, 'needs text or fields');

/** blocks/header-block: 150. */
const header = z.strictObject({
  type: z.literal('header'),
  block_id: blockId.optional(),
  text: plainText(150),
});
const divider = z.strictObject({ type: z.literal('divider'), block_id: blockId.optional() });
/** blocks/context-block: at most 10 elements. */
const context = z.strictObject({
  type: z.literal('context'),
  block_id: blockId.optional(),
  elements: z.array(anyText()).min(1).max(10),
});
/** blocks/actions-block: at most 25 elements. */
const actions = z.strictObject({
  type: z.literal('actions'),
  block_id: blockId.optional(),
  elements: z
    .array(z.discriminatedUnion('type', [button, externalSelect, staticSelect]))
    .min(1)
    .max(25),
});
/** blocks/input-block: label and hint 2,000. Only in modals: this project sends none in messages. */
const input = z.strictObject({
  type: z.literal('input'),
  block_id: blockId.optional(),
  label: plainText(2000),
  element: z.discriminatedUnion('type', [plainTextInput, externalSelect, staticSelect]),
  hint: plainText(2000).optional(),
  optional: z.boolean().optional(),
  dispatch_action: z.boolean().optional(),
});

const messageBlock = z.discriminatedUnion('type', [section, header, divider, context, actions]);
const viewBlock = z.discriminatedUnion('type', [section, header, divider, context, actions, input]);

/**
 * chat.postMessage: `text` is cut at 40,000; at most 50 blocks. Undocumented: 12,000 characters in them,
 * with some room for the blocks around it; 13,297 measured at github.com/slackapi/bolt-js/issues/2509.
 */
const message = z.strictObject({
  text: z.string().regex(/\S/, 'requireOk not be empty: notifications show it').max(40_000),
  blocks: z.array(messageBlock).max(50).optional(),
});
const maxMessageBlockText = 12_000;

/** views/modal-views: titles 24; 100 blocks; private_metadata 3,000; callback_id, external_id 255. */
const modal = z.strictObject({
  type: z.literal('modal'),
  title: plainText(24),
  blocks: z.array(viewBlock).max(100),
  submit: plainText(24).optional(),
  close: plainText(24).optional(),
  private_metadata: z.string().max(3000).optional(),
  callback_id: z.string().max(255).optional(),
  external_id: z.string().max(255).optional(),
  clear_on_close: z.boolean().optional(),
  notify_on_close: z.boolean().optional(),
});
/** reference/methods/views.open: `view_too_large` above 250 kB. */
const maxViewBytes = 250_000;

/** `{ text, blocks }` of a `chat.*` call or a response URL. Empty if Slack would accept it. */
export function messageProblems(untrustedMessage: unknown): readonly BlockProblem[] {
  const parsed = message.safeParse(untrustedMessage);
  if (!parsed.success) return zodProblems(parsed.error);
  const blocks = parsed.data.blocks ?? [];
  const shown = textLength(blocks);
  return [
    ...idProblems(blocks),
    ...(shown > maxMessageBlockText
      ? [
          {
            path: 'blocks',
            message: `hold ${shown} characters of text, more than ${maxMessageBlockText}`,
            code: 'msg_blocks_too_long' as const,
          },
        ]
      : []),
  ];
}

/** Checks the `view` of `views.open`, `views.push` or `views.update`. Empty if Slack would accept it. */
export function viewProblems(untrustedView: unknown): readonly BlockProblem[] {
  const parsed = modal.safeParse(untrustedView);
  if (!parsed.success) return zodProblems(parsed.error);
  const { blocks, submit } = parsed.data;
  const bytes = new TextEncoder().encode(JSON.stringify(untrustedView)).length;
  return [
    ...idProblems(blocks),
    ...(submit === undefined && blocks.some(({ type }) => type === 'input')
      ? [{ path: 'submit', message: 'is required with an input block' }]
      : []),
    ...(bytes > maxViewBytes ? [{ path: '', message: `has ${bytes} bytes, more than ${maxViewBytes}` }] : []),
  ];
}

/** Checks an answer to a `block_suggestion`. An empty list of options is valid and means no match. */
export function optionsProblems(untrustedAnswer: unknown): readonly BlockProblem[] {
  const parsed = z.strictObject({ options }).safeParse(untrustedAnswer);
  return parsed.success ? [] : zodProblems(parsed.error);
}

type Block = z.infer<typeof viewBlock>;

/** `block_id` must be unique within a message or view, `action_id` within a block. */
function idProblems(blocks: readonly Block[]): readonly BlockProblem[] {
  const blockIds = blocks.map((block) => block.block_id);
  return [
    ...repeated(blockIds).map((id) => ({ path: 'blocks', message: `block_id ${id} occurs twice` })),
    ...blocks.flatMap((block, index) =>
      block.type === 'actions'
        ? repeated(block.elements.map((element) => element.action_id)).map((id) => ({
            path: `blocks[${index}].elements`,
            message: `action_id ${id} occurs twice`,
          }))
        : [],
    ),
  ];
}

function repeated(ids: readonly (string | undefined)[]): readonly string[] {
  const given = ids.filter((id) => id !== undefined);
  return [...new Set(given.filter((id, index) => given.indexOf(id) !== index))];
}

function textLength(blocks: readonly Block[]): number {
  return blocks.reduce((sum, block) => {
    if (block.type === 'section') {
      const fields = (block.fields ?? []).reduce((chars, field) => chars + field.text.length, 0);
      return sum + (block.text?.text.length ?? 0) + fields;
    }
    if (block.type === 'header') return sum + block.text.text.length;
    if (block.type === 'context')
      return sum + block.elements.reduce((chars, one) => chars + one.text.length, 0);
    return sum;
  }, 0);
}

function zodProblems(error: z.ZodError): readonly BlockProblem[] {
  return error.issues.map(({ path, message: text }) => ({
    path: path
      .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
      .join('')
      .replace(/^\./, ''),
    message: text,
  }));
}
