/**
 * Writes the page of the step that is next. Right without script. No secret is ever the value of a field.
 */
import { html } from 'hono/html';
import { alertOf, documentOf, type Html, type PageInput } from './page-frame.ts';
import { proofStep } from './proof-page.ts';
import { nameOf } from './refusal.ts';
import type { SetupState } from './setup.ts';
import { slackStep } from './slack-page.ts';

const titles = {
  app: 'GitHub App',
  installation: 'Installation',
  model: 'Model',
  repositories: 'Repositories',
  slack: 'Slack',
  proof: 'Proof',
} as const;

export function setupPage(input: PageInput): Html {
  const { step } = input.state;
  const order = Object.keys(titles);
  const at = order.indexOf(step);
  const isGreen = input.proof.stage === 'running' && input.proof.mention === 'answered';
  const list = Object.entries(titles).map(([name, title], index) => {
    const isDone = index < at || (name === 'proof' && isGreen);
    const isSkipped = isDone && name === 'slack' && input.state.slack !== 'on';
    const mark = isSkipped ? 'later' : isDone ? 'done' : index === at ? 'now' : 'later';
    return html`<li class="${mark}" ${mark === 'now' ? html` aria-current="step"` : ''}>
      <span aria-hidden="true">${isSkipped ? '–' : isDone ? '✓' : String(index + 1)}</span>
      ${title}${isSkipped ? ', skipped' : ''}
    </li>`;
  });
  const waits =
    step === 'installation' || (step === 'slack' && input.state.slack === 'on') || isWaiting(input);
  return documentOf(
    `${titles[step]} · Set up Airlock`,
    html`<nav aria-label="Steps">
        <ol>
          ${list}
        </ol>
      </nav>
      ${input.refusal === null ? '' : alertOf(input.refusal)} ${sections[step](input)}`,
    waits,
  );
}

const isWaiting = ({ state, proof }: PageInput): boolean =>
  state.step === 'proof' &&
  (proof.stage === 'starting' || (proof.stage === 'running' && proof.mention !== 'answered'));

const sections: Readonly<Record<SetupState['step'], (input: PageInput) => Html>> = {
  app: ({ state }) =>
    html`<section>
      <h1>Create your GitHub App</h1>
      <p>
        People mention the App in issues, and it opens pull requests. GitHub shows everything that it may do,
        asks you for its name, and installs it only on the account that you choose here.
      </p>
      <form method="post" action="/app/create">
        <label
          >Organization that owns the repositories
          <input
            name="organization"
            autocomplete="off"
            spellcheck="false"
            placeholder="empty: your own account"
          />
        </label>
        <details>
          <summary>Another GitHub than github.com</summary>
          <label
            >Its address
            <input
              name="githubUrl"
              inputmode="url"
              autocomplete="off"
              placeholder="https://acme.ghe.com"
              value="${state.githubUrl === 'https://github.com' ? '' : state.githubUrl}"
            />
          </label>
        </details>
        <button>Create the App on GitHub</button>
      </form>
      <details>
        <summary>I have an App already</summary>
        <form method="post" action="/app/use">
          <label>App ID <input name="id" inputmode="numeric" autocomplete="off" required /></label>
          <label
            >Private key, the text of the .pem file
            <textarea name="pem" rows="4" autocomplete="off" spellcheck="false" required></textarea>
          </label>
          <label
            >Webhook secret
            <input
              name="secret"
              type="password"
              autocomplete="off"
              placeholder="empty: a new one is set here and at GitHub"
            />
          </label>
          <button>Try and store it</button>
        </form>
      </details>
    </section>`,

  installation: ({ state: { app } }) =>
    html`<section>
      <h1>Install @${app?.slug ?? ''}</h1>
      <p>Choose on GitHub which repositories it may reach.</p>
      <p>
        <a class="button" target="_blank" rel="noopener" href="${app?.page ?? ''}/installations/new"
          >Install it on GitHub</a
        >
      </p>
      <p class="wait" role="status">Waiting for the installation …</p>
    </section>`,

  model: ({ state: { model } }) =>
    html`<section>
      <h1>Enter the key of the model</h1>
      <p>Airlock asks OpenAI whether the key works and has the configured model. That costs nothing.</p>
      <form method="post" action="/model">
        <label
          >OpenAI API key
          <input name="key" type="password" autocomplete="off" required autofocus placeholder="sk-…" />
        </label>
        <details>
          <summary>A gateway, an organization or a project</summary>
          <label
            >Address, up to and including /v1
            <input
              name="baseUrl"
              value="${model.baseUrl}"
              inputmode="url"
              autocomplete="off"
              placeholder="https://api.openai.com/v1"
            />
          </label>
          <label
            >Organization
            <input name="organization" value="${model.organization}" autocomplete="off" placeholder="org-…"
          /></label>
          <label
            >Project <input name="project" value="${model.project}" autocomplete="off" placeholder="proj_…"
          /></label>
        </details>
        <button>Try and store it</button>
      </form>
      <p><a href="https://platform.openai.com/api-keys" target="_blank" rel="noopener">Create a key</a></p>
    </section>`,

  repositories: ({ reachable }) =>
    html`<section>
      <h1>Choose repositories</h1>
      <p>People with write access can ask for work on these. All others are refused.</p>
      <form method="post" action="/repositories">
        <ul class="choices">
          ${(reachable ?? []).map(
            ({ repository, allowed }) =>
              html`<li>
                <label
                  ><input
                    type="checkbox"
                    name="repository"
                    value="${nameOf(repository)}"
                    ${
                      allowed || reachable?.length === 1 ? html` checked` : ''
                    }${allowed ? html` disabled` : ''}
                  />
                  ${nameOf(repository)}</label
                >
              </li>`,
          )}
        </ul>
        ${reachable?.length === 0 ? html`<p>The App reaches no repository yet: add some on GitHub.</p>` : ''}
        <button>Allow them</button>
      </form>
    </section>`,

  slack: slackStep,

  proof: proofStep,
};
