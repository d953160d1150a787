/** A set-up with everything around it simulated, and a person who follows links and sends forms. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { verify } from '@octokit/webhooks-methods';
import { parse } from 'parse5';
import type { Delivery } from '../../simulators/github/contract.ts';
import slackManifest from '../../slack-manifest.json' with { type: 'json' };
import type { ProofDeps } from '../../cli/setup/proof.ts';
import { prepareSetup } from '../../cli/setup/prepare.ts';
import { startSetupServer } from '../../cli/setup/server.ts';
import { startGithubSimulator } from '../../simulators/github/simulator.ts';
import { startOpenAiSimulator } from '../../simulators/openai/server.ts';
import { startSlackSimulator } from '../../simulators/slack/simulator.ts';

export const openaiKey = 'sk-a-key-of-the-tests';
export type SetupWorld = Awaited<ReturnType<typeof startSetupWorld>>;

export async function startSetupWorld(options: { readonly models?: readonly string[] } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'airlock-setup-'));
  const { publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const [github, openai, slack] = await Promise.all([
    startGithubSimulator({
      stateDir: join(folder, 'github'),
      app: { id: 1, slug: 'somebody-elses', publicKeyPem: publicKey },
      webhook: { url: null, secret: 'none' },
    }),
    startOpenAiSimulator({
      apiKey: openaiKey,
      script: [],
      ...(options.models === undefined ? {} : { models: options.models }),
    }),
    startSlackSimulator({
      signingSecret: 'a signing secret for tests',
      botScopes: slackManifest.oauth_config.scopes.bot,
      users: [{ name: 'mona' }],
      channels: [{ name: 'shop', members: ['mona'] }],
      deliverTo: 'socket',
    }),
  ]);
  for (const name of ['shop', 'site'])
    await github.createRepository({
      owner: 'acme',
      name,
      files: { 'README.md': name },
      collaborators: [{ login: 'mona', permission: 'write' }],
      installed: false,
    });
  const devVarsPath = join(folder, '.dev.vars');
  const configPath = join(folder, 'airlock.config.jsonc');
  /** As on a machine behind a gateway: where the simulators are. */
  const environment = {
    GITHUB_URL: github.url,
    OPENAI_BASE_URL: openai.url,
    SLACK_API_URL: slack.apiUrl,
    AIRLOCK_STATE: join(folder, 'state'),
  };

  /** Starts the command again, as after Ctrl-C. */
  const start = async (changes: {
    readonly publicUrl?: string;
    readonly examineSandboxes?: ProofDeps['examineSandboxes'];
    readonly environment?: Readonly<Record<string, string>>;
    readonly port?: number;
    readonly now?: () => number;
  }) => {
    const { publicUrl = null, port = null, now = Date.now } = changes;
    const parts = await prepareSetup({
      files: { devVarsPath, configPath, environment: { ...environment, ...changes.environment } },
      publicUrl,
      socketMode: true,
      now,
      proof: { examineSandboxes: changes.examineSandboxes ?? noSandboxes },
    });
    const opened: string[] = [];
    const server = await startSetupServer({
      ...parts,
      deployment: null,
      port,
      onOpened: (next) => opened.push(next),
    });
    return {
      ...parts,
      address: server.address,
      opened,
      async stop() {
        await server.close();
        await parts.stop();
      },
    };
  };

  return {
    github,
    openai,
    slack,
    folder,
    start,
    devVars: async () => parseEnv(await readFile(devVarsPath, 'utf8')),
    devVarsText: async () => await readFile(devVarsPath, 'utf8'),
    devVarsMode: async () => (await stat(devVarsPath)).mode & 0o777,
    devVarsPath,
    configPath,
    /** As on a machine on which nobody has set anything up. */
    async reset() {
      await rm(devVarsPath, { force: true });
      await rm(configPath, { force: true });
    },
    config: async () => await readFile(configPath, 'utf8'),
    /** Whether GitHub signed a delivery with this secret. */
    async signs({ body, headers }: Pick<Delivery, 'body' | 'headers'>, secret: string): Promise<boolean> {
      return await verify(secret, body, headers['x-hub-signature-256'] ?? '');
    },
    async close() {
      await Promise.all([github.close(), openai.close(), slack.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** So that no test starts a bot unless it means to. */
const noSandboxes: ProofDeps['examineSandboxes'] = async () =>
  await Promise.resolve([
    { id: 'sandbox.boot', status: 'fail', found: 'no namespaces', todo: 'Allow them.', ms: 1 },
  ]);

/** Follows redirects with the cookies of each origin, as a browser does. */
export class Person {
  private readonly cookies = new Map<string, string>();
  url = '';
  status = 0;
  html = '';
  headers = new Headers();

  async open(url: string): Promise<this> {
    return await this.ask(new URL(url, this.url === '' ? undefined : this.url), { method: 'GET' });
  }

  /** Sends the first form whose action ends so, with the values that it has and these. */
  async send(action: string, fields: Readonly<Record<string, string | readonly string[]>> = {}) {
    const { url, init } = this.submission(action, fields);
    return await this.ask(url, init);
  }

  private submission(action: string, fields: Readonly<Record<string, string | readonly string[]>>) {
    const form = formsIn(this.html).find((one) => new URL(one.action, this.url).pathname.endsWith(action));
    if (form === undefined) throw new Error(`no form ${action} at ${this.url}: ${this.html}`);
    const body = new URLSearchParams(form.values);
    for (const [name, value] of Object.entries(fields)) {
      body.delete(name);
      for (const one of [value].flat()) body.append(name, one);
    }
    const headers = { origin: new URL(this.url).origin };
    return { url: new URL(form.action, this.url), init: { method: 'POST', body, headers } };
  }

  /** As `send`, and returns where the answer leads without going there. */
  async answer(action: string, fields: Readonly<Record<string, string>>): Promise<string> {
    const { url, init } = this.submission(action, fields);
    const response = await fetch(url, { ...init, redirect: 'manual' });
    return response.headers.get('location') ?? '';
  }

  /** Sends an empty form with headers that no browser would send. Resolves to the status. */
  async forge(path: string, headers: Readonly<Record<string, string>>): Promise<number> {
    const { origin, hostname, port, host } = new URL(this.url);
    const own = { host, origin, cookie: this.cookies.get(origin) ?? '' };
    const sent = Object.entries({ ...own, ...headers }).filter(([, value]) => value !== '');
    return await new Promise((resolve, reject) => {
      const options = { hostname, port, path, method: 'POST', headers: Object.fromEntries(sent) };
      request(options, (answer) => resolve(answer.resume().statusCode ?? 0))
        .on('error', reject)
        .end();
    });
  }

  /** The words of the page, without tags. */
  get text(): string {
    return this.html
      .replaceAll(/<(script|style|title)[^]*?<\/\1>/g, '')
      .replaceAll(/<[^>]+>/g, ' ')
      .replaceAll('&quot;', '"')
      .replaceAll('&#39;', "'")
      .replaceAll('&amp;', '&')
      .replaceAll(/\s+/g, ' ');
  }

  private async ask(url: URL, init: RequestInit): Promise<this> {
    const cookie = this.cookies.get(url.origin);
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: {
        ...(cookie === undefined ? {} : { cookie }),
        ...Object.fromEntries(new Headers(init.headers)),
      },
    });
    const given = response.headers.get('set-cookie');
    if (given !== null) this.cookies.set(url.origin, given.split(';')[0] ?? '');
    const location = response.headers.get('location');
    if (location !== null) return await this.ask(new URL(location, url), { method: 'GET' });
    Object.assign(this, {
      url: url.href,
      status: response.status,
      headers: response.headers,
      html: await response.text(),
    });
    return this;
  }
}

interface Form {
  readonly action: string;
  readonly values: [string, string][];
}

interface Node {
  readonly nodeName: string;
  readonly attrs?: readonly { readonly name: string; readonly value: string }[];
  readonly childNodes?: readonly Node[];
}

const attribute = (node: Node, name: string): string =>
  node.attrs?.find((one) => one.name === name)?.value ?? '';

/** A browser sends neither boxes without a tick nor fields that are disabled. */
function isSent(input: Node): boolean {
  const has = (name: string): boolean => input.attrs?.some((one) => one.name === name) === true;
  const isBox = ['checkbox', 'radio'].includes(attribute(input, 'type'));
  return !has('disabled') && (!isBox || has('checked'));
}

function formsIn(html: string): readonly Form[] {
  const below = (node: Node): readonly Node[] => [node, ...(node.childNodes ?? []).flatMap(below)];
  return below(parse(html))
    .filter(({ nodeName }) => nodeName === 'form')
    .map((form) => ({
      action: attribute(form, 'action'),
      values: below(form)
        .filter((node) => node.nodeName === 'input' && isSent(node))
        .map((node): [string, string] => [attribute(node, 'name'), attribute(node, 'value')]),
    }));
}
