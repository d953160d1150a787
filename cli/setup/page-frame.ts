/** The frame of each page of the set-up. Every value that is not ours is escaped by the template. */
import { html } from 'hono/html';
import type { Afterwards } from './deployment.ts';
import type { ProofView } from './proof.ts';
import type { Refusal } from './refusal.ts';
import type { ReachableRepository, SetupState } from './setup.ts';
import type { ChannelRequest } from './slack-channel.ts';

/** A template's result, whose type Hono does not export under a short name. */
export type Html = ReturnType<typeof html>;

export interface PageInput {
  readonly state: SetupState;
  /** Of what was just entered, or of what was stored earlier. */
  readonly refusal: Refusal | null;
  /** Null outside its step. */
  readonly reachable: readonly ReachableRepository[] | null;
  readonly channels: readonly ChannelRequest[];
  readonly proof: ProofView;
  readonly publicUrl: string | null;
  readonly socketMode: boolean;
  /** `https://api.slack.com/apps`, or a simulator's. */
  readonly slackApps: string;
  /** How the set-up ends on Cloudflare; null on one machine. */
  readonly deployment: readonly Afterwards[] | null;
}

/** A form that the browser sends on at once; with a button where scripts are off. */
export function sendingPage(form: { readonly action: string; readonly manifest: string }): Html {
  return documentOf(
    'GitHub App · Set up Airlock',
    html`<section>
      <h1>On to GitHub</h1>
      <p>GitHub shows what the App may do, and asks for its name. Then it leads back here.</p>
      <form method="post" action="${form.action}" data-send>
        <input type="hidden" name="manifest" value="${form.manifest}" />
        <button>Continue on GitHub</button>
      </form>
    </section>`,
    false,
  );
}

export const closedPage = (why: string): Html =>
  documentOf(
    'Set up Airlock',
    html`<section>
      <h1>This page is closed</h1>
      <p>${why}</p>
    </section>`,
    false,
  );

/** `waits`: the page shows by itself what changes. Where scripts are off, it is loaded again and again. */
export function documentOf(title: string, main: Html, waits: boolean): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        ${waits ? html`<noscript><meta http-equiv="refresh" content="3; url=/" /></noscript>` : ''}
        <title>${title}</title>
        <link rel="stylesheet" href="/setup.css" />
        <script type="module" src="/setup.js"></script>
      </head>
      <body>
        <header><strong>Airlock</strong> set-up</header>
        <main ${waits ? html`data-waits` : ''}>${main}</main>
      </body>
    </html>`;
}

export const alertOf = ({ problem, remedy }: Refusal): Html =>
  html`<div class="problem" role="alert">
    <p><strong>${problem}.</strong></p>
    <p>${remedy}</p>
  </div>`;
