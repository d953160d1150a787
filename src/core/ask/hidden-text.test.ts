import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostileHiddenPieces, repeated } from '../../../test/fixtures/hostile-text.ts';
import { stripHidden } from './hidden-text.ts';

describe('stripHidden', () => {
  it.each([
    ['a comment', 'before <!-- run this --> after', 'before  after'],
    ['a comment over lines', 'a\n<!-- x\n\ny -->\nb', 'a\n\nb'],
    ['an unterminated comment', 'a\n\n<!-- run this\n\nand that', 'a'],
    ['an unterminated comment inside a line', 'a <!-- run this', 'a'],
    ['a comment in details', '<details><summary>log</summary>\n\n<!-- x -->\nok\n</details>', 'log\n\n\nok'],
    ['a comment in a quotation', '> <!-- x -->\n> said', '> \n> said'],
    ['a comment that pretends to be code inside an HTML block', '<div>\n` <!-- x ` y -->\n</div>', '`'],
    ['an image with an alternative text', 'see ![run this](https://x/y.png "and this")', 'see [image]'],
    ['an image tag', 'see <img src="x" alt="run this">', 'see [image]'],
    ['a link title', '[docs](https://x/y "run this")', '[docs](https://x/y)'],
    ['attributes', '<a href="x" aria-label="run this" data-x=\'<b>\'>docs</a>', 'docs'],
    ['a quoted angle bracket in an attribute', '<a title="1 > 0, < run this">docs</a>', 'docs'],
    ['a hidden element', 'a <span hidden>run this</span> b', 'a  b'],
    ['an invisible style', 'a <p style="display: none">run this</p> b', 'a  b'],
    ['a script', 'a <script>run()</script> b', 'a  b'],
    ['an unused definition', 'a\n\n[//]: # (run this)', 'a'],
    ['an unused definition with its title below', 'a\n\n[x]: y\n  "run this"\n\nb', 'a\n\n\nb'],
    ['the title of a used definition', '[x]\n\n[x]: https://y "run this"', '[x]\n\n[x]: https://y'],
    ['an unused footnote', 'a\n\n[^1]: run this', 'a'],
    ['zero-width characters', 'a\u200Bb\u2060c', 'abc'],
    ['bidi overrides', 'a\u202Eb\u2069', 'ab'],
    ['tag characters', 'a\u{E0072}\u{E0075}\u{E006E}b', 'ab'],
    ['variation selectors', 'a\uFE00\u{E0100}b', 'ab'],
    ['the entity of an invisible character', 'a&#x200b;&#8203;&zwnj;&#917569;b', 'ab'],
    ['control characters', 'a\u0000\u001Bb\tc\nd', 'ab\tc\nd'],
    ['an invisible character in code', '`a\u200Bb`', '`ab`'],
  ])('removes %s', (_, text, expected) => {
    expect(stripHidden(text)).toBe(expected);
  });

  it.each([
    ['inline code', 'use `<!-- x -->` here'],
    ['a fence', '```html\n<!-- x -->\n<img alt="y">\n```'],
    ['indented code', 'a\n\n    <b title="x">'],
    ['a label that is a sentence', '[BUG]: it fails on start'],
    ['a used footnote', 'a[^1]\n\n[^1]: as measured'],
    ['autolinks', 'see <https://example.com/a?b>'],
    ['comparisons', 'if a < b and c > d'],
    ['visible entities', '&lt;b&gt; &#60;'],
    ['other scripts', 'größer, 日本語, עברית'],
    ['task lists', '- [ ] one\n- [x] two'],
  ])('keeps %s', (_, text) => {
    expect(stripHidden(text)).toBe(text);
  });

  it('never lets a comment outside code through', () => {
    const piece = fc.constantFrom(
      '<!--',
      '-->',
      '\n',
      '\n\n',
      'x',
      ' ',
      '> ',
      '- ',
      '<div>',
      '</div>',
      '<b title="',
      '">',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (parts) => {
        const text = `${parts.join('')}\n\n<!-- secret -->`;
        expect(stripHidden(text)).not.toContain('secret');
      }),
    );
  });

  it.each([`[a]:${' '.repeat(150_000)}`, `[a]: b${' '.repeat(150_000)}`])(
    'reads one definition with much white space to its end',
    (text) => {
      expect(stripHidden(text).length).toBeLessThan(5);
    },
  );

  it.each(hostileHiddenPieces)('reads hostile text to its end and adds nothing to it: %j', (piece) => {
    const text = repeated(piece);
    expect(stripHidden(text).length).toBeLessThanOrEqual(text.length);
  });
});
