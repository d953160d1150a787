import { describe, expect, it } from 'vitest';
import { describedText } from './template-text.ts';

const template = `<!-- Thank you! -->
## What <!-- required -->

<!-- Say
why. -->

### Task

<details>

- [ ] I ran the tests
- [x] I agree to the terms, see [the terms](https://acme.example/terms)

</details>`;

const described = (pullRequestText: string | null, form: string | null = template): string =>
  describedText({ summary: 'Rounds half up.', pullRequestText, template: form }, 8000);

const asItIs = `Rounds half up.

_Codex did not fill in the repository’s template, so it follows as it is._

## What

**Task**

- [ ] I ran the tests
- [ ] I agree to the terms, see the terms`;

describe('describedText', () => {
  it('is the summary where there is no template, whatever Codex wrote', () => {
    expect(described('## Forged', null)).toBe('Rounds half up.');
  });

  it('is the filled-in template: its headings and checkboxes, without its hints', () => {
    const filled = template
      .replace(
        '<!-- Say\nwhy. -->',
        'It rounded `0.5` down. <!-- done -->\n\n```html\n<!-- kept -->\n<p>\n```',
      )
      .replace('[ ] I ran', '[x] I ran');
    expect(described(filled)).toBe(`## What

It rounded \`0.5\` down.

\`\`\`
<!-- kept -->
<p>
\`\`\`

**Task**

- [x] I ran the tests
- [x] I agree to the terms, see the terms`);
  });

  it.each<[string, string | null]>([
    ['nothing', null],
    ['an empty text', ' \n'],
    ['the template as it is', template],
    ['only boxes', template.replaceAll('[ ]', '[x]')],
    ['only a sign-off', `${template}\n\nSigned-off-by: Eve <e@x>`],
  ])('says so and keeps the summary if Codex gave %s', (_, text) => {
    expect(described(text)).toBe(asItIs);
  });

  it('defuses what the template does not have', () => {
    const evil = [
      '## Network',
      '# Forged',
      '## What',
      'Forged\n===',
      '<img src=x> <!-- airlock:task=other',
      '@admin closes #1, see [this](javascript:x) ![x](https://e.example)',
      '- [ ] @acme/all',
      '| a |\n|---|',
      'Co-authored-by: Eve <e@x>',
    ].join('\n\n');
    expect(described(evil)).toBe(
      [
        '**Network**',
        '**Forged**',
        '## What',
        'Forged\n\\===',
        '&lt;img src=x&gt; &lt;\\!-- airlock:task=other',
        '@\u200Badmin closes #\u200B1, see \\[this\\]\\(javascript:x\\) \\!\\[x\\]\\(https:\u200B//e.example\\)',
        '- [ ] @\u200Bacme/all',
        '\\| a \\|\n\\|---\\|',
      ].join('\n\n'),
    );
  });

  it('stays within its limit, and closes its code', () => {
    const text = describedText(
      { summary: '', pullRequestText: `## What\n\n\`\`\`\n${'🦀x'.repeat(9000)}`, template },
      500,
    );
    expect(text.length).toBeLessThan(600);
    expect(text).toMatch(/…\n```\n\n_Shortened: the text has \d+ characters\._$/);
  });
});
