/** The layout of every page: the channel list and the selected channel. No scripts, no other origins. */
import { documentOf, escapeHtml } from '../../pages/html.ts';
import { style } from '../../pages/style.ts';
import type { Site } from '../site.ts';
import type { Channel } from '../workspace.ts';

const ownStyle = `
main{max-width:1200px;display:grid;grid-template-columns:220px minmax(0,1fr);gap:32px}
.channels{list-style:none;margin:0;padding:0}
.channels a{display:block;padding:4px 12px;border-radius:6px;color:var(--text)}
.channels a.current{background:var(--hunk);font-weight:600}
.entry{margin:0 0 6px;padding:8px 0}
.thread{border-left:3px solid var(--line);margin:0 0 18px 18px;padding-left:18px}
.who{font-weight:600}.when{color:var(--muted);font-size:12px;margin-left:8px}
.text{overflow-wrap:anywhere;white-space:pre-wrap}
.text code,.context code{background:var(--code);border-radius:4px;padding:.1em .3em;font-size:90%}
.text pre{background:var(--soft);border:1px solid var(--line);border-radius:6px;padding:8px 12px;margin:6px 0;
  overflow:auto;font-size:12px;white-space:pre-wrap}
.text blockquote{margin:4px 0;padding-left:12px;border-left:4px solid var(--line)}
.block{margin:4px 0}.block.header{font-size:17px;font-weight:700}.context{color:var(--muted);font-size:12px}
.fields{display:grid;grid-template-columns:1fr 1fr;gap:4px 16px}
.button{display:inline-block;border:1px solid var(--line);border-radius:6px;padding:3px 12px;
  margin:4px 8px 4px 0;font-weight:600;font-size:13px}.button.primary{background:var(--open);color:#fff}
.button.danger{background:var(--minus);color:#fff}
.mention{background:var(--hunk);color:var(--link);border-radius:3px;padding:0 2px}
hr{border:0;border-top:1px solid var(--line);margin:8px 0}
@media (max-width:700px){main{grid-template-columns:1fr}}`;

/** `body` is trusted HTML. */
export function page(site: Site, current: Channel | null, body: string): string {
  const links = site.workspace.shownChannels().map((channel) => {
    const name = `${{ public: '# ', private: '🔒 ', direct: '✉ ' }[channel.kind]}${channel.name}`;
    const mark = channel.id === current?.id ? ' class="current"' : '';
    return `<li><a${mark} href="/archives/${escapeHtml(channel.id)}">${escapeHtml(name)}</a></li>`;
  });
  const title = current === null ? 'Slack' : `${current.name} · Slack`;
  return documentOf({
    title,
    style: `${style}${ownStyle}`,
    top: `<a href="/">${escapeHtml(site.workspace.domain)}</a>`,
    note: 'simulated Slack',
    main: `<ul class="channels">${links.join('')}</ul><div>${body}</div>`,
  });
}
