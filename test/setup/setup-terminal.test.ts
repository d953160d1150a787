/** The set-up as questions in a terminal, with an App that a person creates in GitHub's own form. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { setUpInTerminal } from '../../cli/setup/terminal.ts';
import { openaiKey, Person, startSetupWorld, type SetupWorld } from './setup-world.ts';

/** Creates the App of the link and downloads its key, in a browser elsewhere. */
async function createElsewhere(world: SetupWorld, link: string) {
  const { pathname, searchParams: fields } = new URL(link);
  const manifest = {
    name: fields.get('name'),
    url: fields.get('url'),
    hook_attributes: { url: fields.get('webhook_url') },
    redirect_url: 'http://127.0.0.1:1/nowhere',
    default_events: fields.getAll('events[]'),
    default_permissions: { issues: 'write', contents: 'write', pull_requests: 'write' },
  };
  const post = async (path: string, form: Record<string, string>) =>
    await fetch(`${world.github.url}${path}`, {
      method: 'POST',
      body: new URLSearchParams(form),
      redirect: 'manual',
    });
  const owner = /^\/organizations\/(\w+)\//.exec(pathname)?.[1] ?? '';
  const created = await post('/settings/apps/manifest', {
    owner,
    name: manifest.name ?? '',
    manifest: JSON.stringify(manifest),
  });
  const code = new URL(created.headers.get('location') ?? '').searchParams.get('code') ?? '';
  const converted = await fetch(`${world.github.apiUrl}/app-manifests/${code}/conversions`, {
    method: 'POST',
  });
  const app = z.object({ id: z.number(), pem: z.string(), slug: z.string() }).parse(await converted.json());
  const path = join(world.folder, 'key.pem');
  await writeFile(path, app.pem);
  return { ...app, path };
}

it('asks for each thing until it works, and sets the webhook’s secret at GitHub by itself', async () => {
  const world = await startSetupWorld();
  onTestFinished(async () => await world.close());
  const started = await world.start({});
  onTestFinished(async () => await started.stop());
  const said: string[] = [];
  const secrets: string[] = [];
  let app = { id: 0, path: '', slug: '' };
  const answers: Readonly<Record<string, readonly (() => string | Promise<string>)[]>> = {
    Organization: [() => 'not/a/name', () => 'acme', () => 'acme'],
    'Address of your GitHub': [() => '', () => '', () => ''],
    'App ID': [
      () => '1',
      async () => {
        app = await createElsewhere(world, said.findLast((line) => line.includes('events%5B%5D')) ?? '');
        return String(app.id);
      },
    ],
    'Path of the .pem file': [() => '/nowhere/key.pem', () => app.path],
    'OpenAI API key': [() => 'sk-wrong', () => openaiKey],
    'Address of a gateway': [() => '', () => ''],
    'Numbers of the repositories': [() => '3', () => '1'],
    'Slack’s Bot User OAuth Token': [() => ''],
  };
  const at = new Map<string, number>();
  const done = setUpInTerminal({
    setup: started.setup,
    proof: started.proof,
    say: (line) => said.push(...line.split('\n').map((one) => one.trim())),
    async ask(question, kind) {
      const name = Object.keys(answers).find((one) => question.startsWith(one)) ?? '';
      const index = at.get(name) ?? 0;
      at.set(name, index + 1);
      if (kind === 'secret') secrets.push(name);
      return await (answers[name]?.[index]?.() ?? Promise.reject(new Error(`no answer to ${question}`)));
    },
    socketMode: true,
    isDeployed: false,
    lookMs: 20,
    stop: new AbortController().signal,
  });
  const installing = async () => {
    await expect.poll(() => said.some((line) => line.endsWith('/installations/new'))).toBe(true);
    const person = await new Person().open(said.find((line) => line.endsWith('/installations/new')) ?? '');
    await person.send('/installations/new');
  };
  await Promise.all([expect(done).rejects.toThrow('No namespaces. Allow them.'), installing()]);

  expect(said.filter((line) => line.startsWith('✗'))).toEqual([
    expect.stringContaining('is not the name of an organization'),
    expect.stringContaining('/nowhere/key.pem cannot be read'),
    expect.stringContaining('OpenAI refuses OPENAI_API_KEY'),
    expect.stringContaining('That is not a number of the list'),
  ]);
  expect(secrets).toEqual(['OpenAI API key', 'OpenAI API key', 'Slack’s Bot User OAuth Token']);
  const stored = await world.devVars();
  expect(stored).toMatchObject({ GITHUB_APP_ID: String(app.id), OPENAI_API_KEY: openaiKey });
  expect(JSON.parse(await world.config())).toMatchObject({ repositories: { 'acme/shop': {} } });
  // GitHub signs with the secret that was stored.
  const { delivery } = await world.github.openIssue({
    owner: 'acme',
    name: 'shop',
    author: 'mona',
    title: 'a',
    body: 'b',
  });
  expect(await world.signs(delivery, stored['GITHUB_WEBHOOK_SECRET'] ?? '')).toBe(true);
  expect(said.join('\n')).not.toContain(openaiKey);
});
