import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bold, codeBlock, codeSpan, escapeInline, link, plainLine, renderUntrusted } from './mrkdwn.ts';

/** Texts of an attacker who wants to notify people, forge formatting, or break out of a code span. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '<!channel>',
        '<!here|here>',
        '<@U123>',
        '<!subteam^S1|@team>',
        '<https://evil.example|github.com>',
        '@channel',
        'https://evil.example',
        '`',
        '```',
        '*',
        '_',
        '~',
        '&lt;!channel&gt;',
        '&',
        '|',
        '>',
        '\n',
        '\u202E',
        '\u200B',
        '\u0000',
        '\uD800',
        '# heading',
        '- item',
        '😀',
      ),
      fc.string({ unit: 'binary' }),
    ),
    { maxLength: 30 },
  )
  .map((pieces) => pieces.join(''));

const hidden = /(?![\t\n])\p{Cc}|[\u202A-\u202E\u2066-\u2069]|\p{Cs}/u;

function expectInert(text: string): void {
  expect(text).not.toMatch(/[<>]/);
  expect(text).not.toMatch(/&(?!amp;|lt;|gt;)/);
  expect(text).not.toMatch(hidden);
}

const functions: readonly [string, (text: string, maxChars: number) => string][] = [
  ['escapeInline', escapeInline],
  ['codeSpan', codeSpan],
  ['codeBlock from its head', (text, maxChars) => codeBlock(text, { maxChars })],
  ['codeBlock from its tail', (text, maxChars) => codeBlock(text, { maxChars, keep: 'tail' })],
  ['renderUntrusted', renderUntrusted],
];

describe.each(functions)('%s', (_, render) => {
  it('renders nothing that Slack would act on, at any length', () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 30, max: 500 }), (text, maxChars) => {
        const rendered = render(text, maxChars);
        expectInert(rendered);
        expect(rendered.length).toBeLessThanOrEqual(maxChars);
      }),
      { numRuns: 500 },
    );
  });
});

describe('escaped text', () => {
  it.each([
    ['<!channel> & <@U1>', '&lt;!channel&gt; &amp; &lt;@\u200BU1&gt;'],
    ['@here', '@\u200Bhere'],
    ['see https://evil.example', 'see https:\u200B//evil.example'],
    ['*not bold* `nor code`', '\u2217not bold\u2217 \u02CBnor code\u02CB'],
    ['snake_case stays, _slanted_ does not', 'snake_case stays, \u02CDslanted\u02CD does not'],
    ['sdrawkcab \u202Etxet', 'sdrawkcab txet'],
    ['two\nlines', 'two lines'],
  ])('of %j is %j', (text, expected) => {
    expect(escapeInline(text)).toBe(expected);
  });

  it('cannot end the formatting around it or begin its own', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(escapeInline(text)).not.toMatch(/[`*~]/);
        expect(escapeInline(text)).not.toMatch(/(?:^|[^\p{L}\p{N}])_|_(?:$|[^\p{L}\p{N}])/u);
      }),
    );
  });

  it('is never cut within an entity or a surrogate pair', () => {
    expect(escapeInline('<<<<<<', 10)).toBe('&lt;&lt;…');
    expect(escapeInline('😀😀😀', 4)).toBe('😀…');
  });

  it('is not escaped in plain_text objects', () => {
    expect(plainLine(' a <b>\n*c* \u202E', 20)).toBe('a <b> *c*');
    expect(plainLine('abcdef', 4)).toBe('abc…');
  });
});

describe('rendered code', () => {
  it('contains no backtick in a span and no fence in a block', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(codeSpan(text)).toMatch(/^(?:`[^`\n]+`|\(empty\))$/);
        expect(codeBlock(text)).toMatch(/^(?:```\n(?:(?!```)[^])+\n```)?$/);
      }),
    );
  });

  it('is otherwise unchanged, so that it can be copied', () => {
    expect(codeSpan('git log --format=%an @me https://x.example')).toBe(
      '`git log --format=%an @me https://x.example`',
    );
    expect(codeBlock('a_b *c*\n  `d`\n')).toBe('```\na_b *c*\n  `d`\n```');
  });

  it('keeps the end with keep: tail', () => {
    const block = codeBlock(`${'x'.repeat(5000)}the end`, { maxChars: 40, keep: 'tail' });
    expect(block).toMatch(/^```\n…x+the end\n```$/);
    expect(block.length).toBe(40);
  });

  it('contains no terminal escape sequences', () => {
    expect(codeBlock('\u001B[31mred\u001B[0m')).toBe('```\nred\n```');
  });

  it('is no block for empty code', () => {
    expect(codeBlock('\n \n')).toBe('');
    expect(codeSpan(' ')).toBe('(empty)');
  });
});

describe('a link', () => {
  it('has the URL and the escaped text', () => {
    expect(link('Fix <this>', 'https://github.com/acme/shop/pull/7?a=1&b=2')).toBe(
      '<https://github.com/acme/shop/pull/7?a=1&amp;b=2|Fix &lt;this&gt;>',
    );
  });

  it.each([
    'javascript:alert(1)',
    'https://github.com@evil.example/',
    'https://github.com/|evil',
    'https://github.com/>evil',
    'https://github.com/ evil',
    'https://github.com/\u202Eevil',
    'https:\\\\evil.example',
    'slack://channel?id=C1',
    '',
    '!channel',
  ])('to the unsafe URL %j is only its text', (url) => {
    expect(link('words', url)).toBe('words');
  });

  it('cannot be forged by text or URL', () => {
    fc.assert(
      fc.property(hostile, hostile, (words, path) => {
        const made = link(words, `https://github.com/${path}`);
        expect(made).not.toMatch(hidden);
        expect(made.replace(/^<https:\/\/github\.com\/[^<>|]*\|([^<>]*)>$/, '$1')).not.toMatch(/[<>]/);
      }),
    );
  });
});

describe('renderUntrusted', () => {
  it('keeps the structure and escapes everything with an effect', () => {
    expect(
      renderUntrusted(
        [
          '## What changed',
          '',
          'Split in `bill.ts` is **fair** now, <!channel>.',
          '- [evil](https://evil.example)',
          '1. one',
          '```ts',
          'const a = b < c;',
          '```',
        ].join('\n'),
      ),
    ).toBe(
      [
        '*What changed*',
        '',
        'Split in `bill.ts` is \u2217\u2217fair\u2217\u2217 now, &lt;!channel&gt;.',
        '• [evil](https:\u200B//evil.example)',
        '1. one',
        '```',
        'const a = b &lt; c;',
        '```',
      ].join('\n'),
    );
  });

  it('closes a code block that it cuts', () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 30, max: 300 }), (text, maxChars) => {
        const fences = renderUntrusted(`\`\`\`\n${text}`, maxChars).match(/```/g) ?? [];
        expect(fences.length % 2).toBe(0);
      }),
    );
  });
});

it('renders empty bold text as nothing', () => {
  expect([bold(''), bold('a')]).toEqual(['', '*a*']);
});
