/** Shows output of commands with its colours. Everything else of a terminal is dropped or shown as text. */
import { AnsiUp } from 'ansi_up';
import { raw } from 'hono/html';
import { visibleOutput } from './visible-text.ts';

export function Output({ untrustedText }: { readonly untrustedText: string }) {
  // One for each output: it keeps the state of the last.
  const colours = new AnsiUp();
  colours.use_classes = true;
  // No links out of a sandbox.
  colours.url_allowlist = {};
  // It escapes what it is given.
  return (
    <pre class="output" tabindex={0}>
      {raw(withoutStyles(colours.ansi_to_html(visibleOutput(untrustedText))))}
    </pre>
  );
}

/** 24-bit colours would be style attributes, which the page's policy refuses. */
const withoutStyles = (html: string): string =>
  html.replaceAll(/<span style="[^"]*"/g, '<span').replaceAll(/(<span class="[^"]*") style="[^"]*"/g, '$1');
