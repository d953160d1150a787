/**
 * Renders Markdown as `body_html`: a CommonMark renderer with GitHub's extensions and its sanitizer's
 * allowlist. Leaves out decoration: links of mentions, highlighting.
 */
import rehypeRaw from 'rehype-raw';
import rehypeSanitize from 'rehype-sanitize';
import rehypeStringify from 'rehype-stringify';
import remarkBreaks from 'remark-breaks';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import remarkRehype from 'remark-rehype';
import { unified } from 'unified';

const renderer = unified()
  .use(remarkParse)
  .use(remarkGfm)
  .use(remarkBreaks)
  .use(remarkRehype, { allowDangerousHtml: true })
  .use(rehypeRaw)
  .use(rehypeSanitize)
  .use(rehypeStringify)
  .freeze();

/** GitHub draws these in the browser, from a source that the page does not show. */
const drawn =
  /<pre><code class="language-(mermaid|geojson|topojson|stl)">((?:(?!<\/code>)[\s\S])*)<\/code><\/pre>/g;

export function bodyHtml(markdown: string): string {
  return String(renderer.processSync(markdown)).replace(
    drawn,
    (_, type: string, source: string) =>
      `<section class="js-render-needs-enrichment render-needs-enrichment" data-type="${type}" aria-label="${type} rendered output container"><div class="js-render-enrichment-target"><div class="render-plaintext-hidden"><pre lang="${type}">${source}</pre></div></div><span class="js-render-enrichment-loader"><span class="sr-only">Loading</span></span></section>`,
  );
}
