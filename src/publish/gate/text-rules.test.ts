import { describe, expect, it } from 'vitest';
import { oddLines, textFindings } from './text-rules.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const findingsIn = (path: string, after: Uint8Array, before = '') => {
  const known = new Set(oddLines(path, bytes(before)));
  return textFindings(path, after, (line) => known.has(line));
};
const found = (path: string, after: string, before = ''): string[] =>
  findingsIn(path, bytes(after), before).map(({ rule, line, what }) => `${rule} ${line}: ${what}`);
/** Nothing in this file is invisible: each character has its number. */
const u = (...points: number[]): string => String.fromCodePoint(...points);
const [rlo, lri, rli, fsi] = [u(0x202e), u(0x2066), u(0x2067), u(0x2068)];
const [pdi, pdf, lre] = [u(0x2069), u(0x202c), u(0x202a)];
const [zwsp, zwnj, zwj, rlm, bom] = [u(0x200b), u(0x200c), u(0x200d), u(0x200f), u(0xfeff)];
const tagged = u(...Array.from('run rm', (letter) => 0xe0000 + letter.charCodeAt(0)));

describe('textFindings', () => {
  it.each<[string, string, string, string]>([
    // https://trojansource.codes
    [
      'a comment that ends early',
      'a.js',
      `/*${rlo} } ${lri}if (isAdmin)${pdi} ${lri} begin */`,
      'hidden-text 1: U+202E U+2066 U+2069',
    ],
    [
      'a stretched string',
      'a.py',
      `if x != "user${rlo} ${lri}// admin${pdi} ${lri}":`,
      'hidden-text 1: U+202E U+2066 U+2069',
    ],
    [
      'controls in pairs, which can leave a string',
      'a.c',
      `"${rli}a" ${pdi}`,
      'hidden-text 1: U+2067 U+2069',
    ],
    [
      'controls in a file without an extension',
      'Dockerfile',
      `RUN ${lre}x${pdf}`,
      'hidden-text 1: U+202A U+202C',
    ],
    ['an override in prose', 'README.md', `${rlo}gpj.exe${pdf}`, 'hidden-text 1: U+202E U+202C'],
    ['a control without its end in prose', 'a.md', `${fsi}name`, 'hidden-text 1: U+2068'],
    [
      'crossed controls in prose',
      'a.md',
      `${lre}a${fsi}b${pdf}c${pdi}`,
      'hidden-text 1: U+202A U+2068 U+202C U+2069',
    ],
    [
      'words for agents in tag characters',
      'AGENTS.md',
      `Hello${tagged}.`,
      'hidden-text 1: U+E0072 U+E0075 U+E006E U+E0020 …',
    ],
    [
      'tag characters behind a flag',
      'a.md',
      `${u(0x1f3f4)}${tagged}`,
      'hidden-text 1: U+E0072 U+E0075 U+E006E U+E0020 …',
    ],
    [
      'a payload in variation selectors',
      'a.js',
      `eval(d("x${u(0xfe00, 0xfe01, 0xe0100)}"))`,
      'hidden-text 1: U+FE00 U+FE01 U+E0100',
    ],
    [
      'a payload in zero-width characters',
      'a.md',
      `a${(zwsp + zwnj).repeat(4)}b`,
      'hidden-text 1: U+200B U+200C',
    ],
    [
      'a blank name of a variable',
      'a.js',
      `const { timeout, ${u(0x3164)} } = req.query;`,
      'hidden-text 1: U+3164',
    ],
    ['a line end that viewers do not show', 'a.js', `// note${u(0x2028)}evil()`, 'hidden-text 1: U+2028'],
    ['a carriage return that ends a comment', 'a.py', '# note\revil()\nx', 'hidden-text 1: U+000D'],
    ['a zero-width character in code', 'a.js', `if (is${zwsp}Admin)`, 'invisible-characters 1: U+200B'],
    ['a joiner in a Latin name', 'a.go', `user${zwj}name`, 'invisible-characters 1: U+200D'],
    ['a byte order mark in the middle', 'a.js', `a\nx${bom}y`, 'invisible-characters 2: U+FEFF'],
    ['an escape character', 'a.sh', 'echo "\u001b[2K"', 'invisible-characters 1: U+001B'],
    ['a stray selector', 'a.js', `ab${u(0xfe0f)}c`, 'invisible-characters 1: U+FE0F'],
    ['two zero-width characters in prose', 'a.md', `a${zwsp}${zwsp}b`, 'invisible-characters 1: U+200B'],
    [
      'a Cyrillic letter in a name',
      'a.js',
      `is${u(0x0410)}dmin()`,
      `look-alikes 1: is${u(0x0410)}dmin (U+0410)`,
    ],
    [
      'a host name of two scripts in prose',
      'a.md',
      `https://p${u(0x0430)}ypal.com`,
      `look-alikes 1: p${u(0x0430)}ypal (U+0430)`,
    ],
    [
      'a name of Cyrillic letters only',
      'a.js',
      `${u(0x0435, 0x0445, 0x0435, 0x0441)}(cmd)`,
      `look-alikes 1: ${u(0x0435, 0x0445, 0x0435, 0x0441)} (U+0435 U+0445 U+0441)`,
    ],
    ['a Greek letter in a name', 'a.ts', `c${u(0x03bf)}nfig`, `look-alikes 1: c${u(0x03bf)}nfig (U+03BF)`],
    [
      'letters of mathematics, which Python reads as ASCII',
      'a.py',
      `${u(0x1d41e, 0x1d431, 0x1d41e, 0x1d41c)}(x)`,
      `look-alikes 1: ${u(0x1d41e, 0x1d431, 0x1d41e, 0x1d41c)} (U+1D41E U+1D431 U+1D41C)`,
    ],
    ['a fullwidth letter in a name', 'a.py', `ad${u(0xff4d)}in`, `look-alikes 1: ad${u(0xff4d)}in (U+FF4D)`],
    ['a letter that looks like a sign', 'a.js', `if (env${u(0x01c3)}=PROD)`, 'look-alikes 1: U+01C3'],
    ['a Greek question mark', 'a.c', `int a = 1${u(0x37e)}`, 'look-alikes 1: U+037E'],
    ['a folded diff', '.gitattributes', 'src/*.js linguist-generated', 'hides-diff 1: An attribute'],
    ['a source that is called binary', 'a/.gitattributes', '*.sh -diff', 'hides-diff 1: An attribute'],
  ])('finds %s', (_, path, text, expected) => {
    expect(found(path, text)).toEqual([expected]);
  });

  it.each<[string, string, string]>([
    ['ordinary code', 'a.js', 'const a = 1;\r\n\tb();\n'],
    ['Hebrew and Arabic', 'a.js', `// ${u(0x5e9, 0x5dc)} "${u(0x645, 0x631)}"`],
    ['a mark in right-to-left text', 'a.js', `"${u(0x5e9, 0x5dc)}!${rlm} 1"`],
    ['a Persian word with a non-joiner', 'a.ts', `"${u(0x645, 0x6cc)}${zwnj}${u(0x62e)}"`],
    ['a Hindi word with joiners', 'a.ts', `"${u(0x915, 0x94d)}${zwj}${u(0x937)}"`],
    ['a family of emoji', 'a.ts', `"${u(0x1f468)}${zwj}${u(0x1f469)}${zwj}${u(0x1f467)}"`],
    ['emoji with skin tones', 'a.ts', `"${u(0x1f469, 0x1f3fd)}${zwj}${u(0x1f4bb)}"`],
    [
      'a rainbow flag, a heart, a keycap',
      'a.ts',
      `"${u(0x1f3f3, 0xfe0f)}${zwj}${u(0x1f308)} ${u(0x2764, 0xfe0f)} 1${u(0xfe0f, 0x20e3)}"`,
    ],
    ['the flag of Scotland', 'a.ts', `"${u(0x1f3f4, 0xe0067, 0xe0062, 0xe0073, 0xe0063, 0xe0074, 0xe007f)}"`],
    ['a form of a Chinese character', 'a.ts', `"${u(0x845b, 0xe0100)}"`],
    ['Korean', 'a.ts', `"${u(0xd55c, 0xae00)}"`],
    ['a byte order mark at the beginning', 'a.cs', `${bom}using System;`],
    ['isolates in a translation', 'fr.ftl', `hello = ${fsi}{ $name }${pdi} !`],
    ['isolates in prose', 'README.md', `${rli}${u(0x5e9)}${pdi} ok`],
    ['a soft hyphen in prose', 'a.md', `Donau${u(0xad)}dampf`],
    ['a mention that pings nobody, in prose', 'a.md', `@${zwsp}all`],
    ['German, French, Turkish and Vietnamese', 'a.js', '// Größe, déjà vu, kullanıcı adı, người dùng'],
    ['Russian', 'a.js', '// оса и сор, рис; API-сервер, git-репозиторий, SQLзапрос'],
    ['Russian words of such letters only', 'a.md', 'сор оса хор'],
    ['Japanese with Latin letters', 'a.js', '// Tシャツ、ＡＢＣ、API呼び出し；'],
    ['formulas', 'a.jl', 'Δt = 2π * ω₀; σ_x = μ + λx; ∂f/∂x; x² ≤ ∞; ℝ'],
    ['typography', 'a.js', '// “quotes” – dashes — … × ½ © ™ € → ✓'],
    ['an image that is called binary', '.gitattributes', '* text=auto\n*.png binary\n*.sh text eol=lf\n'],
    ['a binary file', 'a.bin', `\0${rlo}`],
    ['other line ends', 'a.js', `a\rb()${u(0x2028)}c\n`],
    ['lines of an old Macintosh', 'a.txt', 'a\rb\rc'],
  ])('finds nothing in %s', (_, path, text) => {
    expect(found(path, text)).toEqual([]);
  });

  it('looks only at lines that the base does not have', () => {
    const old = `a\n// ${rlo} old\r\nb\n`;
    expect(found('a.js', `x\n// ${rlo} old\ny\n`, old)).toEqual([]);
    expect(found('a.js', `x\n// ${rlo} new\ny\n`, old)).toEqual(['hidden-text 2: U+202E']);
  });

  it('reads UTF-16 that says so, and text next to bytes that are none', () => {
    const utf16 = (text: string, isLittle: boolean): Uint8Array =>
      Uint8Array.from(
        Array.from(`${bom}${text}`).flatMap((letter) => {
          const code = letter.charCodeAt(0);
          return isLittle ? [code & 255, code >> 8] : [code >> 8, code & 255];
        }),
      );
    for (const isLittle of [true, false])
      expect(findingsIn('a.ps1', utf16(`a\n${rlo}b`, isLittle))).toMatchObject([{ line: 2 }]);
    expect(findingsIn('a.js', new Uint8Array([0xff, 0x0a, ...bytes(rlo)]))).toHaveLength(1);
  });

  it('names three findings of a file and reads hostile text to the end', () => {
    expect(found('a.js', `${rlo}\n`.repeat(9))).toHaveLength(3);
    const hostile = `${`x${zwsp}`.repeat(40_000)}${u(0x430).repeat(40_000)}${rli.repeat(30_000)}`;
    expect(found('a.md', hostile)).toEqual(['hidden-text 1: U+2067']);
    expect(found('a.js', `a${u(0x430)}${'é'.repeat(100_000)}\n`.repeat(3))).toEqual([]);
  });
});
