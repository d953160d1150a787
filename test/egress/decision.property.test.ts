/** Tests properties that hold for every egress decision, judged by what goes out and not by the rules. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Grant, GrantedRepository } from '../../src/core/grant.ts';
import { decideEgress } from '../../src/egress/decide.ts';
import { exampleGrant } from '../fixtures/example-grant.ts';
import { decideLfsBatch } from '../../src/egress/lfs.ts';
import { decideResponsesBody } from '../../src/egress/openai-body.ts';
import { recordedBodies, recordedNames } from './fixtures.ts';
import { faultsOf } from './openai-oracle.ts';

const numRuns = 2_000;
/** Where a run takes a millisecond or more. For model requests, `npm run fuzz` looks much longer. */
const fewRuns = 500;
const gitHeaders: Readonly<Record<string, string>> = {
  'content-type': 'application/x-git-upload-pack-request',
};
const lfsHeaders: Readonly<Record<string, string>> = { 'content-type': 'application/vnd.git-lfs+json' };
const decide = (method: string, url: string, grant: Grant, headers: Readonly<Record<string, string>> = {}) =>
  decideEgress({ method, url, header: (name) => headers[name] ?? null }, grant);

const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,8}$/);
const owner = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9-]{0,8}$/);
const repository = fc.record({ owner, name, installationId: fc.nat(), repositoryId: fc.nat() });
const phase = fc.constantFrom('clone', 'setup', 'run', 'sealed');
const grantOf = (
  repositories: readonly GrantedRepository[],
  alsoRead: readonly GrantedRepository[],
  phase: Grant['phase'],
  lfs: boolean,
): Grant => ({ ...exampleGrant, repositories, alsoRead, phase, lfs });
const method = fc.constantFrom('GET', 'POST', 'HEAD', 'PUT', 'get', 'CONNECT');

/** URLs near the allowed ones: each piece is mostly right, with a trick or two inserted anywhere. */
const near = (repositories: readonly GrantedRepository[]) => {
  const mostly = (right: string, ...wrong: string[]) =>
    fc.oneof(
      { weight: 8, arbitrary: fc.constant(right) },
      { weight: 1, arbitrary: fc.constantFrom(...wrong) },
    );
  const named = fc
    .constantFrom(...repositories)
    .chain(({ owner, name }) =>
      fc.tuple(
        mostly(owner, owner.toUpperCase(), 'mallory', '..'),
        mostly(name, name.toLowerCase(), 'loot', '%2e%2e', ''),
      ),
    );
  const endpoint = fc.constantFrom(
    'info/refs?service=git-upload-pack',
    'info/refs?service=git-receive-pack',
    'git-upload-pack',
    'git-receive-pack',
    'info/lfs/objects/batch',
    `info/lfs/objects/${'ab12'.repeat(16)}/5`,
  );
  const trick = fc.constantFrom(
    '/',
    '//',
    '/..',
    '/../',
    '/%2e%2e/',
    '%2f',
    '\\',
    '.',
    '.git',
    '?',
    '#',
    '@',
    ':443',
    ':8443',
    '%00',
    '\t',
    'A',
    'mallory/loot/',
  );
  return fc
    .tuple(
      mostly('https', 'http', 'HTTPS', 'ftp'),
      mostly('github.com', 'GitHub.com', 'github.com:443', 'github.com.', 'u@github.com', 'evil.example'),
      named,
      mostly('.git', '', '.GIT', '.git.git'),
      endpoint,
      fc.array(fc.tuple(fc.nat(), trick), { maxLength: 2 }),
    )
    .map(([scheme, host, [owner, name], suffix, endpoint, tricks]) =>
      tricks.reduce((url, [place, trick]) => {
        const at = place % (url.length + 1);
        return url.slice(0, at) + trick + url.slice(at);
      }, `${scheme}://${host}/${owner}/${name}${suffix}/${endpoint}`),
    );
};

describe('a repository outside the grant', () => {
  it('is never reached, whatever the URL, the method, the phase and the grant', () => {
    const cases = fc
      .tuple(
        fc.array(repository, { minLength: 1, maxLength: 3 }),
        fc.array(repository, { maxLength: 2 }),
        phase,
        fc.boolean(),
      )
      .chain(([own, also, phase, lfs]) =>
        fc.tuple(fc.constant(grantOf(own, also, phase, lfs)), method, near([...own, ...also])),
      );
    let reached = 0;
    fc.assert(
      fc.property(cases, fc.constantFrom(gitHeaders, lfsHeaders), ([grant, method, url], headers) => {
        const verdict = decide(method, url, grant, headers);
        if (!('repository' in verdict)) return;
        reached += 1;
        const granted = [...grant.repositories, ...grant.alsoRead];
        expect(granted).toContain(verdict.repository);
        // The repository that is fetched is the one that the URL names.
        const { owner, name } = verdict.repository;
        expect(url.toLowerCase()).toContain(
          `github.com${url.includes(':443/') ? ':443' : ''}/${owner}/${name}`.toLowerCase(),
        );
        const isOpen =
          verdict.kind === 'allow-github'
            ? grant.phase === 'clone' || grant.phase === 'run'
            : grant.phase === 'clone' && grant.lfs && grant.repositories.includes(verdict.repository);
        expect(isOpen).toBe(true);
      }),
      { numRuns: 20_000, seed: 20_260_101 },
    );
    // Without this the property also holds for a rule that allows nothing.
    expect(reached).toBeGreaterThan(100);
  });
});

/** A denied URL whose normal form is allowed exists on purpose: `src/egress/spelling.test.ts`. */
it('allows only URLs that a browser reads the same way', () => {
  let allowed = 0;
  fc.assert(
    fc.property(method, near(exampleGrant.repositories), (method, raw) => {
      const verdict = decide(method, raw, exampleGrant, gitHeaders);
      if (verdict.kind === 'deny') return;
      allowed += 1;
      // An allowed URL is its own normal form, except for the letter case of scheme and host and a standard
      // port.
      const normal = new URL(raw).href;
      expect(normal).toBe(
        raw.replace(
          /^(https?):\/\/([^/]*?)(?::443|:80)?\//i,
          (_, scheme: string, host: string) => `${scheme.toLowerCase()}://${host.toLowerCase()}/`,
        ),
      );
      expect(decide(method, normal, exampleGrant, gitHeaders)).toEqual(verdict);
    }),
    { numRuns: 20_000, seed: 20_260_102 },
  );
  expect(allowed).toBeGreaterThan(20);
});

const json = { 'content-type': 'application/json' };
describe('a host', () => {
  it('is never reached if no rule and no list names it', () => {
    fc.assert(
      fc.property(
        method,
        fc.oneof(
          fc.webUrl({ withQueryParameters: true, withFragments: true }),
          fc.string(),
          fc.webAuthority().map((host) => `https://${host}/`),
        ),
        phase,
        (method, url, phase) => {
          const verdict = decide(method, url, { ...exampleGrant, phase }, json);
          expect(verdict.kind).toBe('deny');
        },
      ),
      { numRuns: fewRuns },
    );
  });

  it('is reached if a list names it, with GET and HEAD over TLS, in its phase, at the requested path', () => {
    fc.assert(
      fc.property(method, phase, fc.webPath(), fc.webQueryParameters(), (method, phase, path, query) => {
        const url = `https://registry.example.com${path === '' ? '/' : path}${query === '' ? '' : `?${query}`}`;
        const verdict = decide(method, url, { ...exampleGrant, phase });
        if (verdict.kind === 'deny') return;
        expect(verdict).toEqual({ kind: 'allow-host', rule: 'host.setup', method, target: url });
        expect([phase, ['GET', 'HEAD'].includes(method)]).toEqual(['setup', true]);
      }),
      { numRuns },
    );
  });
});

it('never throws, for any head', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('https://github.com/', 'https://[::1]/', '//', 'https://%', 'https://a:b:c/'),
  );
  fc.assert(
    fc.property(text, text, text, phase, (method, url, header, phase) => {
      const verdict = decideEgress({ method, url, header: () => header }, { ...exampleGrant, phase });
      expect(verdict.kind).toBe('deny');
    }),
    { numRuns },
  );
});

// ---- bodies -----------------------------------------------------------------------------------------------

const encode = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const recorded: unknown[] = recordedNames.flatMap((name) =>
  recordedBodies(name).map((body): unknown => JSON.parse(body)),
);
const evil = 'https://evil.example/?leak';
/** Values that make OpenAI fetch from elsewhere, at any place where they have a meaning. */
const poison: fc.Arbitrary<unknown> = fc.constantFrom(
  { type: 'input_image', image_url: evil },
  { type: 'input_file', file_url: evil },
  { type: 'input_file', file_id: 'file-1' },
  { type: 'web_search' },
  { type: 'mcp', server_label: 's', server_url: evil },
  { type: 'item_reference', id: 'msg_1' },
  { id: 'msg_1' },
  { type: 'function', name: 'f', parameters: { $ref: evil } },
  { type: 'additional_tools', role: 'developer', tools: [{ type: 'mcp' }] },
  { type: 'namespace', name: 'n', tools: [{ type: 'code_interpreter' }] },
);
interface Place {
  readonly holder: object;
  readonly key: string;
}
function placesOf(value: unknown, places: Place[] = []): Place[] {
  if (typeof value !== 'object' || value === null) return places;
  for (const [key, inner] of Object.entries(value)) {
    places.push({ holder: value, key });
    placesOf(inner, places);
  }
  return places;
}
const isFree = (path: Place): boolean => ['parameters', 'schema', 'client_metadata'].includes(path.key);

describe('an allowed model request', () => {
  it('has no remote URL and no hosted tool, wherever one is inserted into what Codex sends', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...recorded),
        fc.nat(),
        poison,
        fc.boolean(),
        (body, at, evilValue, append) => {
          const changed = structuredClone(body);
          const places = placesOf(changed).filter((place) => !isFree(place));
          const place = places[at % places.length];
          if (place === undefined) return;
          const inside: unknown = Reflect.get(place.holder, place.key);
          if (append && Array.isArray(inside)) inside.push(evilValue);
          else Reflect.set(place.holder, place.key, evilValue);
          const verdict = decideResponsesBody(encode(changed), exampleGrant);
          const faults = verdict.kind === 'allow' ? faultsOf(verdict.body, exampleGrant.models) : [];
          expect(faults).toEqual([]);
        },
      ),
      { numRuns: fewRuns },
    );
  });

  it('is denied with a poisoned item, part or tool at any position of its list', () => {
    fc.assert(
      fc.property(fc.constantFrom(...recorded), fc.nat(), poison, (body, at, evilValue) => {
        const changed = structuredClone(body);
        const lists = placesOf(changed)
          .filter(({ key }) => ['input', 'tools', 'content', 'output', 'summary'].includes(key))
          .map(({ holder, key }): unknown => Reflect.get(holder, key))
          .filter((list) => Array.isArray(list));
        const list = lists[at % lists.length];
        list?.splice(at % (list.length + 1), 0, evilValue);
        expect(decideResponsesBody(encode(changed), exampleGrant).kind).toBe('deny');
      }),
      { numRuns: fewRuns },
    );
  });

  it('is decided the same way again, to the byte', () => {
    const spelled = fc
      .constantFrom(...recorded)
      .chain((body) =>
        fc.tuple(
          fc.constantFrom(
            JSON.stringify(body),
            JSON.stringify(body, null, 2),
            JSON.stringify(body, null, '\t\r'),
            ` ${JSON.stringify(body)}\n`,
          ),
        ),
      );
    fc.assert(
      fc.property(spelled, ([text]) => {
        const once = decideResponsesBody(encode(text), exampleGrant);
        if (once.kind === 'deny') throw new Error(once.reason);
        expect(decideResponsesBody(once.body, exampleGrant)).toEqual(once);
      }),
      { numRuns: 50 },
    );
  });
});

it('never throws, for any body, and allows no random one', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map(encode),
    fc.anything().map((value) => encode(JSON.stringify(value) ?? '')),
  );
  fc.assert(
    fc.property(bytes, (bytes) => {
      expect(decideResponsesBody(bytes, exampleGrant).kind).toBe('deny');
      expect(decideLfsBatch(bytes).kind).toBe('deny');
    }),
    { numRuns },
  );
});

it('reduces an allowed LFS batch to its objects', () => {
  const oid = fc.stringMatching(/^[0-9a-f]{64}$/);
  const object = fc.record({ oid, size: fc.nat(), actions: fc.anything() });
  fc.assert(
    fc.property(
      fc.array(object, { maxLength: 5 }),
      fc.constantFrom('download', 'upload', 'Download', 'verify'),
      fc.json(),
      (objects, operation, extra) => {
        const body = { operation, objects, extra, ref: { name: extra }, transfers: ['ssh', 'custom'] };
        const verdict = decideLfsBatch(encode(JSON.stringify(body)));
        if (verdict.kind === 'deny') return;
        expect(operation).toBe('download');
        expect(JSON.parse(verdict.body)).toEqual({
          operation: 'download',
          transfers: ['basic'],
          hash_algo: 'sha256',
          objects: objects.map(({ oid, size }) => ({ oid, size })),
        });
      },
    ),
    { numRuns: 300 },
  );
});
