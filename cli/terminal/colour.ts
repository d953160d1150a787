/** Terminal colours. `util.styleText` turns them off without a terminal or with NO_COLOR. */
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
