/** Reads HTML with workerd's parser, which no other platform has. */
import { decodeEntities, voidElements, type HtmlEvent, type ReadHtml } from './html-events.ts';

export const readHtml: ReadHtml = async (html) => {
  const events: HtmlEvent[] = [];
  // A text node comes in pieces, and an entity can be cut between two of them.
  let pieces = '';
  const rewriter = new HTMLRewriter()
    .on('*', {
      element(element) {
        const name = element.tagName.toLowerCase();
        const attributes = new Map<string, string>();
        for (const [key = '', value = ''] of element.attributes) attributes.set(key, decodeEntities(value));
        events.push({ kind: 'open', name, attributes });
        if (!voidElements.has(name))
          element.onEndTag((end) => void events.push({ kind: 'close', name: end.name }));
      },
    })
    .onDocument({
      text(chunk) {
        pieces += chunk.text;
        if (!chunk.lastInTextNode) return;
        events.push({ kind: 'text', text: decodeEntities(pieces) });
        pieces = '';
      },
    });
  await rewriter.transform(new Response(html)).arrayBuffer();
  return events;
};
