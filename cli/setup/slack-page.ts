/** The step that connects Slack: the app and its two tokens, then a channel. */
import { html } from 'hono/html';
import manifest from '../../slack-manifest.json' with { type: 'json' };
import type { Html, PageInput } from './page-frame.ts';
import { nameOf } from './refusal.ts';

export const slackStep = (input: PageInput): Html =>
  input.state.slack === 'on' ? channelSection(input) : slackSection(input);

function slackSection({ publicUrl, socketMode, slackApps }: PageInput): Html {
  return html`<section>
    <h1>Connect Slack</h1>
    <p>
      Optional: people can then ask from Slack, too. On Slack’s page choose the workspace, create the app, and
      install it. Then enter its two secrets here.
    </p>
    <p>
      <a
        class="button"
        target="_blank"
        rel="noopener"
        href="${slackApps}?${slackQuery(publicUrl, socketMode)}"
        >Create the Slack app</a
      >
    </p>
    <form method="post" action="/slack">
      <label
        >Bot User OAuth Token, under OAuth &amp; Permissions
        <input name="botToken" type="password" autocomplete="off" required placeholder="xoxb-…"
      /></label>
      <label
        >${
          socketMode
            ? 'App-level token, which you generate with connections:write under Basic Information'
            : 'Signing Secret, under Basic Information'
        }
        <input
          name="second"
          type="password"
          autocomplete="off"
          required
          placeholder="${socketMode ? 'xapp-…' : ''}"
      /></label>
      <button>Try and store them</button>
    </form>
    ${skipForm('Continue without Slack')}
  </section>`;
}

function slackQuery(publicUrl: string | null, socketMode: boolean): string {
  const text = JSON.stringify(manifest).replaceAll(
    'https://airlock.example',
    publicUrl ?? 'https://airlock.invalid',
  );
  const json = text.replace('"socket_mode_enabled":false', `"socket_mode_enabled":${String(socketMode)}`);
  return new URLSearchParams({ new_app: '1', manifest_json: json }).toString();
}

function channelSection({ channels, state }: PageInput): Html {
  const [first] = state.allowed;
  const example = first === undefined ? 'owner/repo' : nameOf(first);
  return html`<section>
    <h1>Choose a channel</h1>
    <p>Type this in the Slack channel whose people may use the repository:</p>
    <p><code>/codex here ${example}</code></p>
    <p class="wait" role="status">Waiting for the command …</p>
    ${channels.map(
      ({ channelId, channel, person, repository }) =>
        html`<form method="post" action="/slack/channel">
          <input type="hidden" name="channel" value="${channelId}" />
          <input type="hidden" name="repository" value="${nameOf(repository)}" />
          <p>${person} asked in #${channel} (${channelId}) for ${nameOf(repository)}.</p>
          <button>That was me: allow this channel</button>
        </form>`,
    )}
    ${skipForm('Continue without a channel')}
  </section>`;
}

const skipForm = (words: string): Html =>
  html`<form method="post" action="/slack/skip"><button class="quiet">${words}</button></form>`;
