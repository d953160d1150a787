import { describe, expect, it } from 'vitest';
import { leftMarker, mayHaveMarkers } from './conflict-markers.ts';

const conflict = 'a\n<<<<<<< feature\nb\n=======\nc\n>>>>>>> main\n';
const heading = 'Title\n=======\n\ntext\n';

describe('a conflict marker', () => {
  it.each<[string, string, readonly string[], number | null]>([
    ['a whole conflict', conflict, ['a\nb\n', 'a\nc\n'], 2],
    ['its first line alone', 'a\n<<<<<<< feature\nb\n', ['a\n'], 2],
    ['its middle alone', 'a\nb\n=======\nc\n', ['a\nb\n', 'a\nc\n'], 3],
    ['its end alone', 'a\n>>>>>>> main\n', ['a\n'], 2],
    ['the ancestor’s line of diff3', 'a\n||||||| base\nb\n', ['a\n'], 2],
    ['a label without words', 'a\n<<<<<<<\nb\n', ['a\n'], 2],
    ['line ends of Windows', 'a\r\n=======\r\nb\r\n', ['a\r\n'], 2],
    ['longer markers, as an attribute sets them', 'a\n<<<<<<<<<<< x\n', ['a\n'], 2],
    ['a new file', conflict, [], 2],
    ['a heading that was there', heading, [heading, 'Title\n'], null],
    ['a second heading like the one that was there', `${heading}${heading}`, [heading, 'x\n'], 2],
    ['documentation of conflicts that was there', conflict, [conflict, 'x\n'], null],
    ['six characters', 'a\n<<<<<< feature\n', ['a\n'], null],
    ['an arrow', 'a\n>>>>>>>x\n', ['a\n'], null],
    ['a quoted mail', '> > a\n', ['a\n'], null],
  ])('is found in %s or not', (_, text, before, line) => {
    expect(leftMarker(text, before)).toBe(line);
    expect(line === null || mayHaveMarkers(text)).toBe(true);
  });
});
