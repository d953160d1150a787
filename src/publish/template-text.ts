/**
 * Renders a pull request template that Codex filled in. Its words are untrusted like the summary's; only the
 * headings that the repository's own template has stay headings, and checkboxes stay checkboxes.
 */
import { renderUntrustedMarkdown } from '../github/markdown.ts';
import { reportedHeading } from '../core/reported.ts';
import { withoutTrailers } from './trailers.ts';

/** Of the evidence below, in lower case. */
const evidenceHeadings = new Set(['asked', 'change', 'task', 'network', reportedHeading.toLowerCase()]);

/** `template`: as the base branch has it; null leaves the summary alone. `summary` is rendered already. */
export function describedText(
  {
    summary,
    pullRequestText,
    template,
  }: {
    readonly summary: string;
    readonly pullRequestText: string | null;
    readonly template: string | null;
  },
  maxCharacters: number,
): string {
  if (template === null) return summary;
  const form = withoutMarkup(template, template);
  const filled = withoutTrailers(withoutMarkup(pullRequestText ?? '', template));
  const render = (text: string): string =>
    renderUntrustedMarkdown(text, maxCharacters, { headings: headingsOf(form) })
      .replace(/\n{3,}/g, '\n\n')
      .trim();
  if (isFilledIn(filled, form)) return render(filled);
  return [summary, unfilledText, render(form.replace(/^(\s*[-*+] )\[[xX]\]/gm, '$1[ ]'))].join('\n\n');
}

const unfilledText = '_Codex did not fill in the repository’s template, so it follows as it is._';

/** A line of its own, besides those of the template. */
function isFilledIn(text: string, form: string): boolean {
  const known = new Set(form.split('\n').map(bare));
  return text.split('\n').some((line) => bare(line) !== '' && !known.has(bare(line)));
}
const bare = (line: string): string =>
  line
    .replace(/\[[xX]\]/, '[ ]')
    .replace(/\s+/g, ' ')
    .trim();

/** In the spelling that `renderUntrustedMarkdown` compares. Nothing of the model gets a heading of ours. */
function headingsOf(form: string): ReadonlySet<string> {
  const found = [...form.matchAll(/^ {0,3}#{1,6} +(\S.*)$/gm)].map(([, text = '']) => text.trim());
  return new Set(found.filter((text) => !evidenceHeadings.has(text.replace(/[\s#]+$/, '').toLowerCase())));
}

/**
 * Drops comments, which are hints to the author, and lines with nothing but a tag; not within code. The
 * template's own links become their words, because links are escaped.
 */
function withoutMarkup(text: string, template: string): string {
  const links = template.matchAll(/!?\[([^[\]\n]{1,200})\]\([^()\s]{1,500}\)/g);
  return [...links]
    .reduce((rest, [link, words = '']) => rest.replaceAll(link, () => words), text)
    .replace(
      /(^ {0,3}(`{3,}|~{3,})[^]*?(?:^ {0,3}\2.*$|$(?![^])))|<!--[^]*?-->|^[ \t]*<\/?[a-z][^<>\n]*>[ \t]*$/gim,
      (_, code: string | undefined) => code ?? '',
    )
    .trim();
}
