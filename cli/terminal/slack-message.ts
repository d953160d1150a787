/** Formats a Slack message for a terminal: wrapped blocks, buttons in brackets, no control characters. */
import type { KnownBlock } from '@slack/types';
import { z } from 'zod';
import type { MessageVersion } from '../../simulators/slack/contract-views.ts';
import { mrkdwnPieces, type Names, type Piece } from '../../simulators/slack/mrkdwn-pieces.ts';
import { bold, cyan, dim } from './colour.ts';
import { plain } from './plain-text.ts';

type Style = (text: string) => string;
interface Run {
  readonly text: string;
  readonly style: Style;
}

const asIs: Style = (text) => text;
/** Marks a space at which no line is broken. */
const unbreakableSpace = '\u00A0';
const textObject = z.looseObject({ type: z.string(), text: z.string() });
const buttonObject = z.looseObject({ type: z.literal('button'), text: z.looseObject({ text: z.string() }) });

/** Returns lines of at most `columns` characters each; only a longer word or button exceeds it. */
export function slackMessageLines(
  { text, blocks }: Pick<MessageVersion, 'text' | 'blocks'>,
  names: Names,
  columns: number,
): string[] {
  if (blocks.length === 0) return wrapped(runsOf(text, names), columns);
  return blocks.flatMap((block) => linesOf(block, names, columns));
}

/** Ignores types of blocks that the bot does not send. */
function linesOf(block: KnownBlock, names: Names, columns: number): string[] {
  if (block.type === 'section') {
    const runs = block.text === undefined ? [] : runsOf(block.text.text, names);
    const button = buttonObject.safeParse(block.accessory).data;
    const accessory = button === undefined ? [] : [{ text: '   ', style: asIs }, buttonRun(button.text.text)];
    return wrapped([...runs, ...accessory], columns);
  }
  if (block.type === 'context') {
    const texts = block.elements.flatMap((element) => textObject.safeParse(element).data?.text ?? []);
    return wrapped(runsOf(texts.join(' '), names), columns).map(dim);
  }
  if (block.type === 'divider') return [dim('─'.repeat(Math.min(columns, 40)))];
  if (block.type !== 'actions') return [];
  const buttons = block.elements.map((element) => buttonObject.safeParse(element).data?.text.text ?? '▾');
  return wrapped(
    buttons.flatMap((label) => [buttonRun(label), { text: ' ', style: asIs }]),
    columns,
  );
}

/** A button label becomes one word, so that it is never broken. */
const buttonRun = (label: string): Run => ({
  text: `[${plain(label)}]`.replaceAll(' ', unbreakableSpace),
  style: asIs,
});

function runsOf(mrkdwn: string, names: Names): Run[] {
  return mrkdwnPieces(mrkdwn, names).flatMap((piece) => {
    const run = { text: piece.text, style: styleOf(piece) };
    return piece.url === null || piece.url === piece.text
      ? [run]
      : [run, { text: ` (${piece.url})`, style: dim }];
  });
}

function styleOf({ kind, bold: strong }: Piece): Style {
  if (kind === 'code' || kind === 'block' || kind === 'mention') return cyan;
  return strong ? bold : asIs;
}

/** Breaks at line ends and at spaces. Keeps a word that is longer than a line whole. */
function wrapped(runs: readonly Run[], columns: number): string[] {
  const lines: { line: string; width: number }[] = [{ line: '', width: 0 }];
  for (const { text, style } of runs) {
    for (const [index, row] of text.split('\n').entries()) {
      if (index > 0) lines.push({ line: '', width: 0 });
      for (const word of plain(row).match(/ *[^ ]+| +/g) ?? []) {
        const last = lines.at(-1) ?? { line: '', width: 0 };
        const fits = last.width === 0 || last.width + word.length <= columns;
        const shown = fits ? word : word.trimStart();
        const line = fits ? last : { line: '', width: 0 };
        if (!fits) lines.push(line);
        line.line += style(shown);
        line.width += shown.length;
      }
    }
  }
  return lines.map(({ line }) => line.trimEnd().replaceAll(unbreakableSpace, ' '));
}
