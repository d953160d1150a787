/**
 * Checks what arrived outside: the logs of the simulated GitHub and OpenAI, and the attacker's host.
 * Overrules the answer that a probe got: a request that was refused and forwarded anyway is a leak.
 */
import type { World } from '../cli/demo/world.ts';
import type { Canary } from './canary.ts';
import type { HostProbe } from './exhaustion-bench.ts';
import { builtIn } from '../src/config/built-in.ts';
import type { TaskView } from '../src/core/task-view.ts';
import { parseJson } from '../src/lib/parse-json.ts';

export interface UpstreamBench {
  readonly world: World;
  readonly canary: Canary;
  /** Everything that the probes received, by the probe's id. */
  readonly seen: ReadonlyMap<string, string>;
  /** The probed task after its end. */
  readonly view: TaskView;
  /** How many probes were refused by the decision or at the gateway. */
  readonly refusals: number;
}

const gitPath =
  /^\/acme\/(?:split-bill|small-budget|older)\.git\/(?:info\/refs\?service=git-upload-pack|git-upload-pack)$/;
/** A token that revokes itself is already invalid when the simulator writes its log. */
const revocation = '/api/v3/installation/token';
const isGit = (path: string) => !path.startsWith('/api/v3/');
/** The kinds of tools that Codex runs itself; `namespace` groups them. */
const ownTools = new Set(['function', 'custom', 'namespace', 'tool_search']);
const topLevel = new Set(
  (
    'model stream store input instructions tools tool_choice parallel_tool_calls reasoning include prompt_cache_key ' +
    'text service_tier client_metadata'
  ).split(' '),
);

/** The members of an object; none for any other value. */
const entriesOf = (value: unknown): (readonly [string, unknown])[] =>
  typeof value === 'object' && value !== null ? Object.entries(value) : [];
const memberOf = (value: unknown, name: string): unknown =>
  entriesOf(value).find(([key]) => key === name)?.[1];

/** Every member of a JSON value, however deep, as [key, value]. */
function* members(value: unknown): Generator<readonly [string, unknown]> {
  if (Array.isArray(value)) for (const inner of value) yield* members(inner);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      yield [key, inner];
      yield* members(inner);
    }
  }
}

function toolsOf(body: unknown): string[] {
  return [...members(body)].flatMap(([key, value]) =>
    key === 'tools' && Array.isArray(value)
      ? value.map((tool: unknown) => String(memberOf(tool, 'type')))
      : [],
  );
}

/** What of `all` is wrong. Throws if there is nothing to look at. */
function none<Item>(all: readonly Item[], wrongOf: (item: Item) => readonly string[]): string {
  if (all.length === 0) throw new Error('there is nothing to look at');
  const found = all.flatMap(wrongOf);
  return found.length === 0 ? 'none' : `${found.length}: ${found[0]?.slice(0, 150)}`;
}
const when = (isWrong: boolean, what: string): readonly string[] => (isWrong ? [what] : []);

export const upstreamProbes: readonly HostProbe<UpstreamBench>[] = [
  {
    id: 'github-push',
    attack: 'any push at GitHub',
    expected: ['none'],
    run: async ({ world }) =>
      none(gitRequests(world), ({ path }) => when(path.includes('receive-pack'), path)),
  },
  {
    id: 'github-other',
    attack: 'anything on GitHub’s web host but git fetch of the tasks’ repositories',
    expected: ['none'],
    run: async ({ world }) =>
      none(gitRequests(world), ({ method, path }) => when(!gitPath.test(path), `${method} ${path}`)),
  },
  {
    id: 'github-token',
    attack: 'a token at GitHub that is not the App’s',
    expected: ['none'],
    run: async ({ world }) =>
      none(world.github.requests(), ({ path, tokenKind }) =>
        when(tokenKind === 'refused' && path !== revocation, path),
      ),
  },
  {
    id: 'github-anonymous',
    attack: 'a fetch at GitHub without the task’s own token',
    expected: ['none'],
    run: async ({ world }) =>
      none(gitRequests(world), ({ path, tokenKind }) => when(tokenKind !== 'installation', path)),
  },
  {
    id: 'github-writes',
    attack: 'a branch at GitHub that is not Airlock’s own',
    expected: ['none'],
    run: async ({ world }) =>
      none(await world.github.branches({ owner: 'acme', name: 'split-bill' }), ({ name }) =>
        when(name !== 'main' && !name.startsWith(builtIn.branchPrefix), name),
      ),
  },
  {
    id: 'openai-endpoint',
    attack: 'anything at OpenAI but POST /v1/responses',
    expected: ['none'],
    run: async ({ world }) =>
      none(requests(world), ({ method, path }) =>
        when(method !== 'POST' || path !== '/v1/responses', `${method} ${path}`),
      ),
  },
  {
    id: 'openai-key',
    attack: 'a key at OpenAI that is not the configured one',
    expected: ['none'],
    run: async ({ world }) => none(requests(world), ({ status, path }) => when(status === 401, path)),
  },
  {
    id: 'openai-headers',
    attack: 'a header at OpenAI that the attacker made',
    expected: ['none'],
    run: async ({ world }) =>
      none(
        requests(world).flatMap(({ headers }) => Object.entries(headers)),
        ([name, value]) =>
          when(
            /^(?:cookie|openai-(?:organization|project|beta)|x-forwarded|x-probe|x-http-method)/.test(name) ||
              value.includes('attacker'),
            `${name}: ${value}`,
          ),
      ),
  },
  {
    id: 'openai-store',
    attack: 'a request at OpenAI that would be stored',
    expected: ['none'],
    run: async ({ world }) =>
      none(bodies(world), (body) =>
        when(memberOf(body, 'store') !== false, JSON.stringify(body).slice(0, 100)),
      ),
  },
  {
    id: 'openai-fields',
    attack: 'a field at OpenAI beyond those that Codex needs',
    expected: ['none'],
    run: async ({ world }) =>
      none(bodies(world).flatMap(entriesOf), ([key]) => when(!topLevel.has(key), key)),
  },
  {
    id: 'openai-tools',
    attack: 'a tool at OpenAI that runs there',
    expected: ['none'],
    run: async ({ world }) => none(bodies(world).flatMap(toolsOf), (type) => when(!ownTools.has(type), type)),
  },
  {
    id: 'openai-remote',
    attack: 'an address or a file id at OpenAI that it would fetch',
    expected: ['none'],
    run: async ({ world }) =>
      none(
        // Only in the input: the schema of a tool may have parameters of these names.
        bodies(world).flatMap((body) => [...members(memberOf(body, 'input'))]),
        ([key, value]) =>
          when(
            ['file_url', 'file_id', 'server_url', 'connector_id'].includes(key) ||
              (key === 'image_url' && !(typeof value === 'string' && value.startsWith('data:'))),
            `${key}: ${JSON.stringify(value)}`,
          ),
      ),
  },
  {
    id: 'canary-connections',
    attack: 'a connection to the attacker’s host, over TCP, TLS or an abstract socket',
    expected: ['0 connections, 0 bytes'],
    run: async ({ canary }) => `${canary.reached().connections} connections, ${canary.reached().bytes} bytes`,
  },
  {
    id: 'canary-datagrams',
    attack: 'a datagram to the attacker’s host',
    expected: ['0 datagrams'],
    run: async ({ canary }) => `${canary.reached().datagrams} datagrams`,
  },
  {
    id: 'secrets-in-answers',
    attack: 'a secret in anything that any probe got back',
    expected: ['none'],
    run: async ({ world, seen }) =>
      none([...seen], ([id, text]) => secretsIn(world, text).map((name) => `${name} in ${id}`)),
  },
  {
    id: 'receipt',
    attack: 'a refusal that is missing in the task’s receipt',
    expected: ['none'],
    run: async ({ view: { receipt }, refusals }) => {
      if (refusals === 0) throw new Error('nothing was refused');
      return receipt.deniedTotal >= refusals
        ? 'none'
        : `${refusals} refusals, ${receipt.deniedTotal} in the receipt`;
    },
  },
  {
    id: 'receipt-hosts',
    attack: 'a host in the receipt that no task may reach',
    expected: ['none'],
    run: async ({ view }) =>
      none(view.receipt.hosts, ({ host }) =>
        when(!['github.com', 'api.openai.com', 'canary.airlock.invalid'].includes(host), host),
      ),
  },
];

const gitRequests = ({ github }: World) => github.requests().filter(({ path }) => isGit(path));

function requests({ openai }: World) {
  return openai?.requests() ?? [];
}

function bodies(world: World): readonly unknown[] {
  // The simulator keeps a body that it refused as text.
  return requests(world).map(({ body }) => (typeof body === 'string' ? parse(body) : body));
}

function parse(text: string): unknown {
  return parseJson(text) ?? text;
}

/** Names the secrets in a text, plain or in the forms that headers and URLs use. */
export function secretsIn(world: World, text: string): string[] {
  const base64 = (secret: string) => Buffer.from(secret).toString('base64').replace(/=+$/, '');
  return [...world.secrets()].flatMap(([name, secret]) =>
    [secret, base64(secret), base64(`x-access-token:${secret}`), encodeURIComponent(secret)].some((form) =>
      text.includes(form),
    )
      ? [name]
      : [],
  );
}

/** Joins all requests upstream as text. A marker in it shows that its probe arrived. */
export function upstreamText(world: World): string {
  const github = world.github.requests().map(({ method, path }) => `${method} ${path}`);
  const openai = requests(world).map(
    ({ path, headers, body }) => `${path} ${JSON.stringify(headers)} ${JSON.stringify(body)}`,
  );
  return [...github, ...openai].join('\n');
}
