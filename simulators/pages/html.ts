/** HTML escaping, the content security policy, and the page layout. No scripts, no other origins. */
import type { MiddlewareHandler } from 'hono';
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

/** Sent with every page. Prevents scripts and requests even if the escaping has a bug. */
const contentSecurityPolicy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export interface Crumb {
  readonly text: string;
  readonly href: string;
}

/** `body` is trusted HTML; `title` and crumbs are text. */
export function page(title: string, crumbs: readonly Crumb[], body: string): string {
  const trail = crumbs.map(({ text, href }) => `<a href="${escapeHtml(href)}">${escapeHtml(text)}</a>`);
  return documentOf({
    title,
    style,
    top: `<a class="home" href="/" aria-label="All repositories">${mark}</a>${trail.join('<span class="sep">/</span>')}`,
    note: 'simulated GitHub',
    main: body,
  });
}

/** `title` and `note` are text, the rest is trusted HTML or CSS. */
export function documentOf(parts: {
  readonly title: string;
  readonly style: string;
  readonly top: string;
  readonly note: string;
  readonly main: string;
}): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(parts.title)}</title>
<style>${parts.style}</style>
</head>
<body>
<header class="top"><nav>${parts.top}</nav><span class="note">${escapeHtml(parts.note)}</span></header>
<main>${parts.main}</main>
</body>
</html>
`;
}

const mark =
  '<svg viewBox="0 0 16 16" width="24" height="24" fill="none" stroke="currentColor" stroke-width="1.4" aria-hidden="true"><circle cx="4" cy="3.5" r="1.8"/><circle cx="4" cy="12.5" r="1.8"/><circle cx="12" cy="5" r="1.8"/><path d="M4 5.3v5.4M12 6.8c0 2.9-4.6 2-7 4.2"/></svg>';

/** Adds the security headers of every page. */
export const securityHeaders: MiddlewareHandler = async (c, next) => {
  await next();
  c.header('content-security-policy', contentSecurityPolicy);
  c.header('x-content-type-options', 'nosniff');
  c.header('referrer-policy', 'no-referrer');
};
