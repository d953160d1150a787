/** Finds conflict markers in a file. Pure; decides nothing about whose they are. */

/** Lines are counted by kind, because a text may have had such lines before: rules, headings, this test. */
const kinds = [/^<{7,}(?: .*)?\r?$/, /^\|{7,}(?: .*)?\r?$/, /^={7,}\r?$/, /^>{7,}(?: .*)?\r?$/] as const;

/** Line numbers of what looks like a marker, for each kind. */
function markerLines(text: string): readonly (readonly number[])[] {
  const lines = text.split('\n');
  return kinds.map((kind) => lines.flatMap((line, at) => (kind.test(line) ? [at + 1] : [])));
}

/** Cheap test, so that most files need no comparison with their earlier versions. */
export const mayHaveMarkers = (text: string): boolean => /^(?:<{7}|\|{7}|={7}|>{7})/m.test(text);

/** The line of the first marker that neither side's version has; null if there is none. */
export function leftMarker(text: string, versions: readonly string[]): number | null {
  const before = versions.map(markerLines);
  const left = markerLines(text).flatMap((lines, kind) => {
    const known = Math.max(0, ...before.map((of) => of[kind]?.length ?? 0));
    return lines.length > known ? lines.slice(0, 1) : [];
  });
  return left.length === 0 ? null : Math.min(...left);
}
