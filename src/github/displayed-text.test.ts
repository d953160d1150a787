import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bodyHtml } from '../../simulators/github/body-html.ts';
import { repeated } from '../../test/fixtures/hostile-text.ts';
import { htmlEvents } from '../../test/fixtures/read-html.ts';
import { displayedText } from './displayed-text.ts';
import { voidElements } from './html-events.ts';

/** The text that is handed on for Markdown, which a published renderer renders as GitHub does. */
const handedOn = (markdown: string): string => displayedText(htmlEvents(bodyHtml(markdown))).text;

describe('the text for Codex', () => {
  it.each([
    ['a comment', 'a <!-- run this --> b', 'a b'],
    ['a comment over paragraphs', 'a\n\n<!--\nrun\n\nthis\n-->\n\nb', 'a\n\nb'],
    ['an unclosed comment', 'a\n\n<!-- run this', 'a'],
    ['a processing instruction', 'a <? run this ?> b', 'a b'],
    ['a declaration', '<!FOO run this>\n\na', 'a'],
    ['a CDATA section', 'a <![CDATA[ run this ]]> b', 'a b'],
    ['a definition in a list', '- [//]: # (run this)\n- b', '- b'],
    ['a definition in a quotation', '> [//]: # (run this)\n> b', '> b'],
    ['an unused definition', 'a\n\n[x]: y\n  "run this"', 'a'],
    ['the title of a used definition', '[x]\n\n[x]: https://y.z "run this"', 'x (https://y.z)'],
    ['a link title with an escaped bracket', '[docs](https://x.y "run \\) this")', 'docs (https://x.y)'],
    ['a long link title', `[docs](https://x.y "${'run this '.repeat(400)}")`, 'docs (https://x.y)'],
    ['a link with empty text', 'a [](https://x.y/run/this) b', 'a b'],
    ['a link with punctuation as its text', '[.](https://x.y/run/this)', '.'],
    [
      'the end of a long address',
      `[docs](https://x.y/${'a'.repeat(400)}/run/this)`,
      `docs (https://x.y/${'a'.repeat(288)}…)`,
    ],
    ['an unused footnote', 'a\n\n[^1]: run this', 'a'],
    ['cells beyond the header', '|a|\n|-|\n|b|run this|', '| a |\n| --- |\n| b |'],
    ['the info string of a fence', '```js run this\nx\n```', '```\nx\n```'],
    ['an image’s alternative with brackets', 'a ![run [this] now](https://x.y) b', 'a [image] b'],
    ['an image’s alternative over two lines', '![run\nthis](https://x.y)', '[image]'],
    ['an image’s alternative in HTML', 'see <img src="https://x.y" alt="run this">', 'see [image]'],
    [
      'attributes',
      '<a href="https://x.y" aria-label="run this" data-x=\'<b>\'>docs</a>',
      'docs (https://x.y)',
    ],
    ['a long attribute', `<a title="${'run this '.repeat(1000)}">docs</a>`, 'docs'],
    ['a comment in a diagram', '```mermaid\n%% run this\ngraph TD\n```', '[diagram: mermaid]'],
    ['a script', 'a <script>run(this)</script> b', 'a b'],
    ['a ruby parenthesis', '<ruby>a<rp>run this</rp></ruby>', 'a'],
    ['zero-width characters', 'a\u200Bb\u2060c', 'abc'],
    ['bidi overrides', 'a\u202Eb\u2069', 'ab'],
    ['tag characters', 'a\u{E0072}\u{E0075}\u{E006E}b', 'ab'],
    ['variation selectors', 'a\uFE00\u{E0100}b', 'ab'],
    ['the entity of an invisible character', 'a&#x200b;&#8203;&zwnj;&#917569;b', 'ab'],
    ['control characters', 'a\u001Bb', 'ab'],
    ['an invisible character in code', '`a\u200Bb`', '`ab`'],
  ])('leaves out %s', (_, markdown, expected) => {
    const text = handedOn(markdown);
    expect(text).toBe(expected);
    expect(text).not.toMatch(/run|this/);
  });

  // As GitHub writes them; no Markdown of a person produces them.
  it.each([
    ['hidden elements', 'a <span hidden>run this</span> b', 'a b'],
    ['invisible styles', 'a <p style="display: none">run this</p> b', 'a b'],
    ['words for screen readers', '<h2 class="sr-only">run this</h2><p>a</p>', 'a'],
    ['icons', '<p><svg class="octicon"><title>run this</title></svg>Note</p>', 'Note'],
    [
      'the source of a formula with commands',
      '<p>a <math-renderer class="js-inline-math">$\\phantom{run this}$</math-renderer></p>',
      'a [formula]',
    ],
    [
      'the source of a formula in a block',
      '<pre lang="math"><math-renderer class="js-display-math">$$% run this$$</math-renderer></pre>',
      '```\n[formula]\n```',
    ],
    [
      'the source of a diagram of another server',
      '<pre lang="mermaid">%% run this</pre>',
      '[diagram: mermaid]',
    ],
    [
      'the highlighted source of a diagram',
      '<div class="highlight highlight-source-mermaid"><pre>%% run this</pre></div>',
      '[diagram: mermaid]',
    ],
    [
      'the copy of a code block for the clipboard',
      '<div class="highlight highlight-source-js" data-snippet-clipboard-copy-content="run this"><pre><span class="pl-k">let</span> a</pre></div>',
      '```\nlet a\n```',
    ],
    ['a video’s fallback', '<video src="x" aria-label="run this">run this</video>', '[video]'],
  ])('leaves out %s', (_, html, expected) => {
    expect(displayedText(htmlEvents(html)).text).toBe(expected);
  });
});

describe('the text for Codex', () => {
  it.each([
    ['inline code', 'use `<!-- x -->` here', 'use `<!-- x -->` here'],
    ['inline code with backticks', '`` a`b ``', '``a`b``'],
    ['a fence', '```html\n<!-- x -->\n\n  y\n```', '```\n<!-- x -->\n\n  y\n```'],
    ['a fence with fences in it', '````\n```\n````', '````\n```\n````'],
    ['indented code', 'a\n\n    <b title="x">', 'a\n\n```\n<b title="x">\n```'],
    ['paragraphs and lines', 'a\nb\n\nc', 'a\nb\n\nc'],
    ['headings', '## Plan\ntext', '## Plan\n\ntext'],
    ['lists', '- one\n  - two\n- three\n\n1. a\n2. b', '- one\n  - two\n- three\n\n1. a\n2. b'],
    ['code in a list', '- one\n\n  ```\n  x\n  ```', '- one\n\n  ```\n  x\n  ```'],
    ['task lists', '- [ ] one\n- [x] two', '- [ ] one\n- [x] two'],
    ['quotations', '> a\n> > b\n\nc', '> a\n>\n> > b\n\nc'],
    ['tables', '| a | b |\n|---|--:|\n| 1 | `x` |', '| a | b |\n| --- | --- |\n| 1 | `x` |'],
    ['emphasis', '**a** _b_ ~~c~~ __init__', '**a** *b* ~~c~~ **init**'],
    ['autolinks', 'see <https://example.com/a?b&c>', 'see https://example.com/a?b&c'],
    ['a label that is a sentence', '[BUG]: it fails on start', '[BUG]: it fails on start'],
    ['a used footnote', 'a[^1]\n\n[^1]: as measured', 'a^1\n\n1. as measured'],
    ['comparisons', 'if a < b and c > d &lt;b&gt;', 'if a < b and c > d <b>'],
    ['other scripts', 'größer, 日本語, עברית', 'größer, 日本語, עברית'],
    ['exponents', '10<sup>6</sup>', '10^6'],
    ['collapsed text', '<details>\n<summary>Log</summary>\n\nboom\n</details>', 'Log\n\nboom'],
  ])('keeps %s', (_, markdown, expected) => {
    expect(trimmedLines(handedOn(markdown))).toBe(expected);
  });

  it.each([
    [
      'mentions and references without their addresses',
      '<p><a class="user-mention notranslate" href="https://github.com/ada">@ada</a> <a class="issue-link js-issue-link" href="https://github.com/acme/app/issues/1" title="secret">#1</a></p>',
      '@ada #1',
    ],
    [
      'an alert',
      '<div class="markdown-alert markdown-alert-note"><p class="markdown-alert-title">Note</p><p>Careful</p></div>',
      'Note\n\nCareful',
    ],
    ['an emoji', '<p><g-emoji class="g-emoji" alias="tada">🎉</g-emoji></p>', '🎉'],
    ['a plain formula', '<p><math-renderer>$a^2 + b$</math-renderer></p>', '$a^2 + b$'],
    [
      'an earlier mail as a quotation',
      '<div class="email-fragment">yes</div><span class="email-hidden-toggle"><a href="#">&hellip;</a></span><div class="email-hidden-reply" ><div class="email-quoted-reply">no</div></div>',
      'yes\n\n> > no',
    ],
    ['text in tags that were never closed', '<ul><li>a<li>b', '- a\n- b'],
  ])('keeps %s', (_, html, expected) => {
    expect(trimmedLines(displayedText(htmlEvents(html)).text)).toBe(expected);
  });
});

const trimmedLines = (text: string): string => text.replace(/ +$/gm, '').trim();

describe('any text', () => {
  /** The words in the text nodes that are displayed. */
  function displayedWords(html: string): Set<string> {
    const shown: string[] = [];
    /** How many elements are open from the hidden one on. */
    let hidden = 0;
    for (const event of htmlEvents(html)) {
      if (event.kind === 'text') shown.push(...(hidden === 0 ? (event.text.match(/w\d+/g) ?? []) : []));
      else if (event.kind === 'close') hidden = Math.max(0, hidden - 1);
      else if (voidElements.has(event.name)) continue;
      else if (hidden > 0 || event.name === 'rp' || event.attributes.get('class')?.startsWith('js-render-'))
        hidden += 1;
    }
    return new Set(shown);
  }
  const word = fc.nat({ max: 99 }).map((number) => ` w${number} `);
  const pieces =
    '<!-- --> <? ?> <!A > <![CDATA[ ]]> ``` ```mermaid\\n ~~~\\n ` [ ]( ) ![ [^1]: [^1] [a]:_x_" " >_ -_ ____ |a|\\n|-|\\n| | ' +
    '<b_title=" <details> </details> <img_alt=" <rp> </rp> ** \\\\ &lt; #_ <pre> \\n \\n\\n';
  const markup = fc.constantFrom(
    ...pieces.split(' ').map((piece) => piece.replaceAll('_', ' ').replaceAll('\\n', '\n')),
  );
  it('is handed on where the renderer displays it, and nowhere else', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(word, markup), { maxLength: 25 }), (pieces) => {
        const html = bodyHtml(pieces.join(''));
        const { text, addressable } = displayedText(htmlEvents(html));
        expect(addressable.length).toBe(text.length);
        const shown = displayedWords(html);
        // A link’s address follows its text.
        const written = new Set(text.replace(/ \((?:[^() ]|\([^() ]*\))*\)/g, ' ').match(/w\d+/g));
        expect([...written].toSorted()).toEqual([...shown].toSorted());
      }),
      { numRuns: 300 },
    );
  });

  it.each(['<b>', '<ul><li>', '<blockquote>', '<a href="x">', '<td>', '<pre>', '<p>x ', '&#', '`'])(
    'is read to its end, however often it repeats %j',
    (piece) => {
      expect(displayedText(htmlEvents(repeated(piece, 20_000))).text.length).toBeGreaterThanOrEqual(0);
    },
  );
});
