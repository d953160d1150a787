/** The frame of every page, its headers, and the short pages that say one thing. */
import type { Context } from 'hono';
import { html } from 'hono/html';
import type { Child } from 'hono/jsx';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Session } from './session.ts';

/** Nothing but our own style sheet, module, forms and stream. No script or style in the page itself. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function setPageHeaders(c: Context): void {
  c.header('content-security-policy', contentSecurityPolicy);
  c.header('cache-control', 'no-store');
  c.header('referrer-policy', 'no-referrer');
  c.header('x-content-type-options', 'nosniff');
  c.header('x-frame-options', 'DENY');
  c.header('cross-origin-opener-policy', 'same-origin');
  c.header('cross-origin-resource-policy', 'same-origin');
  c.header('x-robots-tag', 'noindex');
}

export interface Shell {
  readonly title: string;
  readonly session: Session | null;
  /** Loads the module that keeps the page up to date. */
  readonly live?: true;
  readonly children?: Child;
}

function Frame({ title, session, live, children }: Shell) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title} · Airlock</title>
        <link rel="stylesheet" href="/assets/page.css" />
        {live === undefined ? null : <script type="module" src="/assets/page.js"></script>}
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to the content
        </a>
        <header class="top">
          <nav aria-label="Pages">
            <a class="brand" href="/tasks">
              Airlock
            </a>
            {session === null ? null : <a href="/tasks">Tasks</a>}
          </nav>
          {session === null ? null : (
            <form method="post" action="/auth/sign-out" class="who">
              <span>{nameOf(session)}</span>
              <input type="hidden" name="token" value={session.formToken} />
              <button>Sign out</button>
            </form>
          )}
        </header>
        <main id="main" tabindex={-1}>
          {children}
        </main>
      </body>
    </html>
  );
}

const nameOf = ({ viewer }: Session): string => (viewer.kind === 'operator' ? 'Operator' : viewer.login);

export async function page(c: Context, shell: Shell, status: ContentfulStatusCode = 200): Promise<Response> {
  setPageHeaders(c);
  return await c.html(html`<!doctype html>${<Frame {...shell} />}`, status);
}

/** A page that says one thing and offers at most one link. */
export async function message(
  c: Context,
  status: ContentfulStatusCode,
  said: { readonly title: string; readonly text: string; readonly link?: readonly [string, string] },
  session: Session | null = null,
): Promise<Response> {
  const { title, text, link } = said;
  const children = (
    <section class="notice">
      <h1>{title}</h1>
      <p>{text}</p>
      {link === undefined ? null : (
        <p>
          <a class="button" href={link[0]}>
            {link[1]}
          </a>
        </p>
      )}
    </section>
  );
  return await page(c, { title, session, children }, status);
}
