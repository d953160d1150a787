import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostileLength, repeated } from '../../test/fixtures/hostile-text.ts';
import {
  codeSpan,
  cut,
  escapeInline,
  fence,
  neutraliseMentions,
  plainTitle,
  renderUntrustedMarkdown,
} from './markdown.ts';

const z = '\u200B';

/** Matches text outside code that GitHub would act on. */
const active = /@[\w-]|#\d|\bGH-\d|:\/\/|\bwww\.|<(?!\u200B)|(?<!\\)!?\[/i;

describe('neutraliseMentions', () => {
  it.each([
    ['@octocat', `@${z}octocat`],
    ['@acme/team', `@${z}acme/team`],
    ['closes #1', `closes #${z}1`],
    ['closes acme/shop#12', `closes acme/shop#${z}12`],
    ['fixes GH-7', `fixes GH-${z}7`],
    ['gh-7', `gh-${z}7`],
    ['resolves https://github.com/a/b/issues/1', `resolves https:${z}//github.com/a/b/issues/1`],
    ['www.example.com', `www${z}.example.com`],
    ['C# is fine, so is # alone', 'C# is fine, so is # alone'],
  ])('breaks %s', (text, expected) => {
    expect(neutraliseMentions(text)).toBe(expected);
  });
});

describe('escapeInline', () => {
  it.each([
    ['<img src=x onerror=alert(1)>', '&lt;img src=x onerror=alert\\(1\\)&gt;'],
    ['<!-- airlock:task=gh-1-c1 -->', `&lt;\\!-- airlock:task=gh-${z}1-c1 --&gt;`],
    ['![x](https://evil.example/?q=1)', `\\!\\[x\\]\\(https:${z}//evil.example/?q=1\\)`],
    ['&commat;octocat', '&amp;commat;octocat'],
    ['# heading', '\\# heading'],
    ['- item', '\\- item'],
    ['1. item', '1\\. item'],
    ['1) item', '1\\) item'],
    ['a\n\n<b>', 'a &lt;b&gt;'],
    ['a|b', 'a\\|b'],
    ['zero\u200Bwidth \u{E0041}tag', 'zerowidth tag'],
    ['\\@octocat', `\\\\@${z}octocat`],
  ])('escapes %j', (text, expected) => {
    expect(escapeInline(text)).toBe(expected);
  });

  it('leaves nothing that GitHub would act on in random markup', () => {
    const nasty = fc.array(
      fc.constantFrom(
        '@',
        '#',
        '1',
        'GH-',
        '://',
        'www.',
        '<',
        '>',
        '!',
        '[',
        ']',
        '(',
        ')',
        '`',
        '\\',
        '\n',
        'a',
        '&',
        ' ',
        z,
        'https',
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(nasty, (parts) => {
        const escaped = escapeInline(parts.join(''));
        expect(escaped).not.toMatch(active);
        expect(escaped).not.toContain('\n');
      }),
    );
  });

  it('cuts long text and keeps surrogate pairs whole', () => {
    expect(escapeInline('x'.repeat(50), 10)).toBe(`${'x'.repeat(9)}…`);
    expect(cut('ab😀cd', 4)).toBe('ab…');
  });
});

describe('codeSpan', () => {
  it.each([
    ['npm test', '`npm test`'],
    ['echo `date`', '`` echo `date` ``'],
    ['a `` b', '```a `` b```'],
    ['', '(empty)'],
    ['two\nlines', '`two lines`'],
    ['npm i @scope/x', '`npm i @scope/x`'],
    ['echo closes #7', `\`echo closes #${z}7\``],
  ])('renders %j as code', (text, expected) => {
    expect(codeSpan(text)).toBe(expected);
  });

  it('escapes bars only inside a table', () => {
    expect(codeSpan('a | b')).toBe('`a | b`');
    expect(codeSpan('a | b', { inTable: true })).toBe('`a \\| b`');
  });

  it('cannot be closed by its content: no run of backticks inside is as long as the fence', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('`', 'a', ' '), { maxLength: 40 }), (parts) => {
        const span = codeSpan(parts.join(''));
        if (span === '(empty)') return;
        const ticks = /^`+/.exec(span)?.[0] ?? '';
        const inside = span.slice(ticks.length, -ticks.length);
        expect(inside.match(/`+/g) ?? []).not.toContain(ticks);
        expect(span.endsWith(ticks)).toBe(true);
      }),
    );
  });
});

describe('fence', () => {
  it('is longer than any run of backticks in the text', () => {
    expect(fence('````\nout')).toBe('`````\n````\nout\n`````');
  });
  it('removes terminal colors and hidden characters', () => {
    expect(fence('\u001B[31mred\u001B[0m\u200B\r\nnext\u0007')).toBe('```\nred\nnext\n```');
  });
  it('keeps the end of a log on request', () => {
    expect(fence('0123456789', { maxChars: 5, keep: 'tail' })).toBe('```\n…6789\n```');
  });
  it.each([
    ['fixes acme/shop#3', `fixes acme/shop#${z}3`],
    [`closes${' '.repeat(20)}#9`, `closes${' '.repeat(20)}#${z}9`],
    [`closes${'\t'.repeat(500)}#9`, `closes${'\t'.repeat(500)}#${z}9`],
    ['CLOSES\n\n: GH-9', `CLOSES\n\n: GH-${z}9`],
    ['Resolved:#9', `Resolved:#${z}9`],
    ['fix (#9)', `fix (#${z}9)`],
    ['closes https://github.com/a/b/issues/9', `closes https:${z}//github.com/a/b/issues/9`],
    ['closes **#9**', `closes **#${z}9**`],
    ['prefixes #9', 'prefixes #9'],
    ['see #9', 'see #9'],
  ])('breaks closing keywords, which count in a squashed commit message: %j', (code, expected) => {
    expect(fence(code)).toBe(`\`\`\`\n${expected}\n\`\`\``);
  });
});

describe('plainTitle', () => {
  it('returns one line without mentions and references', () => {
    expect(plainTitle('Fix split()\n\nCloses #1, cc @bob', 80)).toBe(
      `Fix split() Closes #${z}1, cc @${z}bob`,
    );
  });
});

describe('renderUntrustedMarkdown', () => {
  it('keeps paragraphs, lists, inline and fenced code', () => {
    expect(
      renderUntrustedMarkdown('Rounded `split()`.\n\n- one\n  * two\n3) three\n\n~~~js\nlet a;\n~~~\nend'),
    ).toBe('Rounded `split()`.\n\n- one\n  - two\n3. three\n\n```\nlet a;\n```\nend');
  });
  it('flattens headings, so that the text cannot pose as a section of ours', () => {
    expect(renderUntrustedMarkdown('## Network receipt\nclean')).toBe('**Network receipt**\nclean');
  });
  it('closes a fence that the text left open', () => {
    expect(renderUntrustedMarkdown('```\nopen')).toBe('```\nopen\n```');
  });
  it('shows HTML, images and quotes as typed', () => {
    expect(renderUntrustedMarkdown('<details>\n![a](b)\n> q')).toBe(
      '&lt;details&gt;\n\\!\\[a\\]\\(b\\)\n&gt; q',
    );
  });
  it('leaves nothing active outside code in random markup', () => {
    const parts = fc.array(
      fc.constantFrom(
        '@bob',
        '#1',
        'GH-1',
        'https://x',
        '<b>',
        '![a](b)',
        '`',
        '```',
        '\n',
        ' ',
        '- ',
        '# ',
        'x',
      ),
      {
        maxLength: 40,
      },
    );
    fc.assert(
      fc.property(parts, (pieces) => {
        const rendered = renderUntrustedMarkdown(pieces.join(''));
        const withoutFences = rendered.replace(/^(`{3,})\n[\s\S]*?\n\1$/gm, '');
        const prose = withoutFences.replace(/(?<!\\)`[^`\n]*`/g, '');
        expect(prose).not.toMatch(/@[\w-]|#\d|\bGH-\d|:\/\/|<|(?<!\\)!?\[/i);
      }),
    );
  });
  it.each(['`'.repeat(200_000), repeated('closes '), `\`\`\`${'\n'.repeat(100_000)}x`])(
    'renders hostile text to its end, with no more than a fence and a sentence added',
    (text) => {
      expect(renderUntrustedMarkdown(text, hostileLength).length).toBeLessThan(text.length + 60);
    },
  );
});
