/** The set-up as questions in a terminal, for a machine without a browser. Decides nothing itself. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lineOf } from '../doctor/print.ts';
import { mentionWords, type Proof } from './proof.ts';
import { nameOf, refuse, type Refusal } from './refusal.ts';
import type { Setup, SetupState } from './setup.ts';

export interface TerminalDeps {
  readonly setup: Setup;
  readonly proof: Proof;
  readonly say: (line: string) => void;
  /** Rejects when the person ends the input. A secret is not shown while it is typed. */
  readonly ask: (question: string, kind: 'text' | 'secret') => Promise<string>;
  readonly socketMode: boolean;
  /** Whether the bot runs elsewhere, so that there is nothing to prove here. */
  readonly isDeployed: boolean;
  /** Milliseconds between two looks at what a person does elsewhere. */
  readonly lookMs?: number;
  /** Aborted when the command has to end. */
  readonly stop: AbortSignal;
}

/** Resolves when every step is done. */
export async function setUpInTerminal(deps: TerminalDeps): Promise<void> {
  for (;;) {
    const state = await deps.setup.state();
    if (state.refusal !== null) tell(deps, state.refusal);
    if (state.step === 'proof') return await prove(deps, state);
    const refusal = await questions[state.step](deps, state);
    if (refusal !== null) tell(deps, refusal);
  }
}

function tell({ say }: TerminalDeps, { problem, remedy }: Refusal): void {
  say(`✗ ${problem}. ${remedy}`);
}

const questions: Readonly<
  Record<
    Exclude<SetupState['step'], 'proof'>,
    (deps: TerminalDeps, state: SetupState) => Promise<Refusal | null>
  >
> = {
  async app({ setup, say, ask }) {
    const organization = await ask(
      'Organization that owns the repositories (empty: your own account): ',
      'text',
    );
    const githubUrl = await ask('Address of your GitHub (empty: github.com): ', 'text');
    const made = await setup.app.createLink({ organization, githubUrl });
    if ('problem' in made) return made;
    say(`Open this form in a browser, and create the App:\n\n  ${made.link}\n`);
    say('On its page, note the App ID and generate a private key, which downloads a .pem file.');
    const id = await ask('App ID: ', 'text');
    const path = await ask('Path of the .pem file on this machine: ', 'text');
    const pem = await readFile(resolve(path.trim()), 'utf8').catch(() => null);
    if (pem === null) return refuse(`${path} cannot be read`, 'Copy the file to this machine.');
    return await setup.app.useExisting({ id, pem, secret: '' });
  },

  async installation({ setup, say, stop, lookMs = 3000 }, state) {
    say(`Install the App on your repositories:\n\n  ${state.app?.page ?? ''}/installations/new\n\nWaiting …`);
    for (;;) {
      await sleep(lookMs, undefined, { signal: stop });
      const now = await setup.state();
      if (now.step !== 'installation' || now.refusal !== null) return null;
    }
  },

  async model({ setup, ask }, { model }) {
    const key = await ask('OpenAI API key: ', 'secret');
    const usual = model.baseUrl === '' ? 'OpenAI' : model.baseUrl;
    const baseUrl = await ask(`Address of a gateway, ending in /v1 (empty: ${usual}): `, 'text');
    return await setup.useModel({ ...model, key, ...(baseUrl.trim() === '' ? {} : { baseUrl }) });
  },

  async repositories({ setup, say, ask }) {
    const reachable = await setup.reachable();
    if ('problem' in reachable) return reachable;
    for (const [index, { repository }] of reachable.entries()) say(`  ${index + 1}  ${nameOf(repository)}`);
    const chosen = await ask('Numbers of the repositories to allow, such as 1 3: ', 'text');
    const words = chosen.split(/[\s,]+/).filter((word) => word !== '');
    const named = words.map((word) => reachable[Number(word) - 1]).filter((one) => one !== undefined);
    if (named.length < words.length)
      return refuse('That is not a number of the list', 'Enter the numbers again.');
    return await setup.allow(named.map(({ repository }) => nameOf(repository)));
  },

  async slack({ setup, say, ask, socketMode }, state) {
    if (state.slack === 'on') {
      say('Slack is connected. Name channels in airlock.config.jsonc: docs/setup.md, Slack.');
      setup.skipSlack();
      return null;
    }
    say('Slack is optional: docs/setup.md says how to create the app from slack-manifest.json.');
    const botToken = await ask('Slack’s Bot User OAuth Token (empty: without Slack): ', 'secret');
    if (botToken.trim() === '') {
      setup.skipSlack();
      return null;
    }
    const second = socketMode ? 'App-level token with connections:write' : 'Signing Secret';
    return await setup.useSlack({ botToken, second: await ask(`${second}: `, 'secret') });
  },
};

async function prove(deps: TerminalDeps, state: SetupState): Promise<void> {
  const { proof, say, stop, lookMs = 3000 } = deps;
  if (deps.isDeployed) return;
  say('Building a sandbox, starting the bot, asking the doctor …');
  proof.start();
  await proof.settled();
  const view = proof.view();
  if (view.stage === 'failed') throw new Error(`${view.refusal.problem}. ${view.refusal.remedy}`);
  if (view.stage !== 'running') return;
  for (const finding of view.findings)
    if (finding.status === 'fail' || finding.status === 'warn') say(lineOf(finding));
  const [first] = state.allowed;
  const where = first === undefined ? 'an issue' : `an issue of ${nameOf(first)}`;
  say(`Write this under ${where}:\n\n  @${state.app?.slug ?? ''} help\n\nWaiting …`);
  let shown = '';
  for (let now = proof.view(); now.stage === 'running' && now.mention !== 'answered'; now = proof.view()) {
    if (now.mention === 'fruitless' && shown !== now.mention) say(mentionWords.fruitless);
    shown = now.mention;
    await sleep(lookMs, undefined, { signal: stop });
  }
}
