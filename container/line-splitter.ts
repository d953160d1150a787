/** Splits pieces of text into lines, in time proportional to the length of even a huge line. */

export interface LineReader {
  /** Gets each whole line without its end. */
  readonly onLine: (line: string) => void;
  /** Called at the end of a line that was dropped because it is longer than `maxCharacters`. */
  readonly onOverlong: () => void;
  readonly maxCharacters: number;
}

/** Finds the next line end at or after `from`; -1 if there is none. */
type FindLineEnd = (text: string, from: number) => number;
const findLineEnd: FindLineEnd = (text, from) => text.indexOf('\n', from);

/** Returns a function that takes the next piece. */
export function createLineSplitter(reader: LineReader, find = findLineEnd): (text: string) => void {
  let pieces: string[] = [];
  let length = 0;

  function add(piece: string): void {
    length += piece.length;
    if (length > reader.maxCharacters) pieces = [];
    else if (piece !== '') pieces.push(piece);
  }

  return (text) => {
    let from = 0;
    for (let end = find(text, from); end !== -1; end = find(text, from)) {
      add(text.slice(from, end));
      from = end + 1;
      const line = length > reader.maxCharacters ? null : pieces.join('');
      pieces = [];
      length = 0;
      if (line === null) reader.onOverlong();
      else reader.onLine(line);
    }
    add(text.slice(from));
  };
}
