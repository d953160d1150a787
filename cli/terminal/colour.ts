/** Terminal colours, off when nobody looks or NO_COLOR is set. `util.styleText` knows both. */
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];
const style = (format: Style) => (text: string) =>
  styleText(format, text, { stream: process.stdout, validateStream: true });

export const bold = style('bold');
export const dim = style('dim');
export const green = style('green');
export const red = style('red');
export const cyan = style('cyan');
export const yellow = style('yellow');
