/** Reads Block Kit: the ids that Slack fills in, interactive elements, the visible text. */
import { randomBytes } from 'node:crypto';
import type { KnownBlock } from '@slack/types';
import { z } from 'zod';
import { isJson, jsonOf, listOf, textOf, type Json } from './json-values.ts';

const knownBlocks = z.array(
  z.custom<KnownBlock>((value) => isJson(value) && typeof value['type'] === 'string'),
);

/** Casts blocks to Slack's types after checking only that each has a `type`. Empty if one has not. */
export function typedBlocks(blocks: unknown): readonly KnownBlock[] {
  return knownBlocks.safeParse(blocks).data ?? [];
}

/** Adds missing `block_id`s and `action_id`s, as Slack does. */
export function withIds(blocks: readonly Json[]): readonly Json[] {
  return blocks.map((block) => ({
    ...block,
    block_id: textOf(block['block_id']) || shortId(),
    ...(Array.isArray(block['elements']) && block['type'] === 'actions'
      ? { elements: listOf(block['elements']).map(withActionId) }
      : {}),
    ...(isJson(block['accessory']) ? { accessory: withActionId(block['accessory']) } : {}),
    ...(isJson(block['element']) ? { element: withActionId(block['element']) } : {}),
  }));
}

function withActionId(element: Json): Json {
  return element['type'] === 'image' || textOf(element['action_id']) !== ''
    ? element
    : { ...element, action_id: shortId() };
}

function shortId(): string {
  return randomBytes(4).toString('base64url').slice(0, 5);
}

export interface InteractiveElement {
  readonly blockId: string;
  readonly block: Json;
  readonly element: Json;
}

/** Buttons, menus and inputs in reading order. */
export function elementsOf(blocks: readonly Json[]): readonly InteractiveElement[] {
  return blocks.flatMap((block) =>
    [
      ...(block['type'] === 'actions' ? listOf(block['elements']) : []),
      ...[block['accessory'], block['element']].filter((one) => isJson(one)),
    ]
      .filter((element) => textOf(element['action_id']) !== '')
      .map((element) => ({ blockId: textOf(block['block_id']), block, element })),
  );
}

export function buttonsOf(blocks: readonly Json[]): readonly InteractiveElement[] {
  return elementsOf(blocks).filter(({ element }) => element['type'] === 'button');
}

export function plainText(value: unknown): string {
  return textOf(jsonOf(value)['text']);
}

/** The visible text, one line per piece. Slack shows a message's `text` only if it has no blocks. */
export function shownText(text: string, blocks: readonly Json[]): string {
  if (blocks.length === 0) return text;
  return blocks.flatMap(linesOf).join('\n');
}

function linesOf(block: Json): readonly string[] {
  if (block['type'] === 'rich_text') return [richText(block)];
  const lines = [
    plainText(block['text']),
    ...listOf(block['fields']).map((field) => textOf(field['text'])),
    // A context element is a text object; a button contains one.
    ...listOf(block['elements']).map((element) =>
      element['type'] === 'button' ? `[${plainText(element['text'])}]` : textOf(element['text']),
    ),
    plainText(block['label']),
  ];
  const accessory = jsonOf(block['accessory']);
  if (accessory['type'] === 'button') lines.push(`[${plainText(accessory['text'])}]`);
  return lines.filter((line) => line !== '');
}

function richText(node: Json): string {
  const own = textOf(node['text']) || textOf(node['url']);
  return own + listOf(node['elements']).map(richText).join('');
}
