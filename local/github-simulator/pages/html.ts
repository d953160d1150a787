/** Escaping and the frame of every page: title, style, navigation. No script, nothing from another origin. */
import { style } from './style.ts';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** Sent with every page: even a mistake in the escaping runs nothing and loads nothing. */
export const contentSecurityPolicy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export interface Crumb {
  readonly text: string;
  readonly href: string;
}

/** `body` is HTML already; `title` and crumbs are text. */
export function page(title: string, crumbs: readonly Crumb[], body: string): string {
  const trail = crumbs.map(({ text, href }) => `<a href="${escapeHtml(href)}">${escapeHtml(text)}</a>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<header class="top"><nav><a class="home" href="/" aria-label="All repositories">${mark}</a>${trail.join('<span class="sep">/</span>')}</nav><span class="note">simulated GitHub</span></header>
<main>${body}</main>
</body>
</html>
`;
}

const mark =
  '<svg viewBox="0 0 16 16" width="24" height="24" aria-hidden="true"><path fill="currentColor" d="M5 3.25a2.25 2.25 0 1 1-3 2.12v5.26a2.25 2.25 0 1 1-1.5 0V5.37A2.25 2.25 0 1 1 5 3.25Zm8.75 6.38V6.5A2.75 2.75 0 0 0 11 3.75H9.56l.97.97-1.06 1.06L6.69 3l2.78-2.78 1.06 1.06-.97.97H11a4.25 4.25 0 0 1 4.25 4.25v3.13a2.25 2.25 0 1 1-1.5 0Z" transform="translate(.5 1) scale(.92)"/></svg>';
