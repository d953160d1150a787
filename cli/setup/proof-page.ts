/** The last step: the bot answers its first mention, or is deployed. */
import { html } from 'hono/html';
import type { Afterwards } from './deployment.ts';
import { alertOf, type Html, type PageInput } from './page-frame.ts';
import { mentionWords } from './proof.ts';
import { nameOf } from './refusal.ts';

export const proofStep = (input: PageInput): Html =>
  input.deployment === null ? proofSection(input) : deploymentSection(input.deployment);

function proofSection({ proof, state }: PageInput): Html {
  const [first] = state.allowed;
  const slug = state.app?.slug ?? '';
  const query = new URLSearchParams({ title: 'Hello', body: `@${slug} help` }).toString();
  const issue =
    first === undefined ? state.githubUrl : `${state.githubUrl}/${nameOf(first)}/issues/new?${query}`;
  switch (proof.stage) {
    case 'idle':
    case 'failed':
      return html`<section>
        <h1>See it work</h1>
        ${proof.stage === 'failed' ? alertOf(proof.refusal) : ''}
        <p>This builds a sandbox, starts the bot and asks the doctor.</p>
        <form method="post" action="/proof"><button autofocus>Start the bot</button></form>
      </section>`;
    case 'starting':
      return html`<section>
        <h1>See it work</h1>
        <p class="wait" role="status">${proof.now}</p>
      </section>`;
    case 'running': {
      const wrong = proof.findings.filter(({ status }) => status === 'fail' || status === 'warn');
      const doctor = html`<ul class="findings">
        <li class="ok">✓ A sandbox was built, and is sealed</li>
        <li class="ok">✓ The bot listens on ${proof.url}</li>
        ${wrong.length === 0 ? html`<li class="ok">✓ The doctor finds nothing wrong</li>` : ''}
        ${wrong.map(
          ({ status, id, found, todo }) =>
            html`<li class="${status}">
              ${status === 'fail' ? '✗' : '!'} ${id}: ${found}${todo === null ? '' : ` → ${todo}`}
            </li>`,
        )}
      </ul>`;
      if (proof.mention === 'answered')
        return html`<section class="green">
          <h1>✓ Airlock works</h1>
          <p>The first mention arrived, and was answered where it was written.</p>
          ${doctor}
          <p>
            Press Ctrl-C in the terminal, and start the bot with <code>npm start</code>. While it runs,
            <code>npm run open</code> shows its tasks.
          </p>
        </section>`;
      return html`<section>
        <h1>See it work</h1>
        ${doctor}
        <p>Write <code>@${slug} help</code> under an issue.</p>
        <p>
          <a class="button" target="_blank" rel="noopener" href="${issue}">Open an issue with these words</a>
        </p>
        <p class="wait" role="status">${mentionWords[proof.mention]}</p>
      </section>`;
    }
  }
}

const deploymentSection = (steps: readonly Afterwards[]): Html =>
  html`<section>
    <h1>Deploy it</h1>
    <p>Press Enter in the terminal: it hands the secrets to wrangler. Then:</p>
    <ol>
      ${steps.map(
        ({ why, what }) =>
          html`<li>
            ${why}:
            <p><code>${what}</code></p>
          </li>`,
      )}
    </ol>
  </section>`;
