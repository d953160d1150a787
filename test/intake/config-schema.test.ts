import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Ajv } from 'ajv';
import { parse } from 'jsonc-parser';
import { expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import {
  priceOf,
  repositoryByAlias,
  resolveRepository,
  slackPolicyOf,
} from '../../src/config/resolve-repository.ts';

const root = new URL('../../', import.meta.url);
const read = async (name: string): Promise<string> => await readFile(new URL(name, root), 'utf8');

async function validator() {
  const schema: Record<string, unknown> = JSON.parse(await read('airlock.schema.json'));
  return new Ajv({ strict: false }).compile(schema);
}

it('the schema file is what the generator writes', async () => {
  const script = new URL('scripts/generate-config-schema.ts', root).pathname;
  await expect(
    promisify(execFile)(process.execPath, [script, '--check'], { timeout: 120_000 }),
  ).resolves.toBeDefined();
});

it('the example loads, allows nothing yet, and passes its own schema', async () => {
  const text = await read('airlock.config.jsonc');
  const config = loadConfig(text, 'airlock.config.jsonc');
  expect(config.ok && config.config.repositories).toEqual([]);
  expect(config.ok && config.config.slack).toBeNull();
  expect((await validator())(parse(text))).toBe(true);
});

it('the commented-out entries of the example are valid too', async () => {
  const text = (await read('airlock.config.jsonc')).replace(/^(\s*)\/\/ (?=[ }"!])/gm, '$1');
  const config = loadConfig(text, 'airlock.config.jsonc');
  expect(config.ok ? config.config.repositories.map(({ pattern }) => pattern.key) : config.problems).toEqual([
    'acme/secret',
    'acme/shop',
    'acme/docs',
    '!acme/legacy-*',
    'acme/*',
  ]);
  expect((await validator())(parse(text, [], { allowTrailingComma: true }))).toBe(true);
  if (!config.ok) return;
  const shop = repositoryByAlias(config.config, 'shop');
  const policy = resolveRepository(config.config, { owner: 'acme', name: 'shop' });
  expect(policy.allowed && policy.slack.kind).toBe('listed');
  expect([...(slackPolicyOf(config.config)?.channelDefaults.values() ?? [])]).toEqual([shop]);
  expect(policy.allowed && priceOf(config.config, policy.model)).toMatchObject({ cachedInput: 0.15 });
});

it.each([
  ['{ "repositorys": {} }'],
  ['{ "repositories": { "a/b": { "limits": { "minutes": 1000 } } } }'],
  ['{ "repositories": { "a/b": { "effort": "much" } } }'],
  ['{ "slack": {} }'],
  ['{ "slack": { "team": "acme" } }'],
  ['{ "slack": { "team": "T1", "channels": { "#dev": "a/b" } } }'],
  ['{ "slack": { "team": "T1", "people": { "U1": "@mona" } } }'],
  ['{ "slack": { "team": "T1" }, "defaults": { "slack": "everybody" } }'],
  ['{ "slack": { "team": "T1" }, "defaults": { "slack": {} } }'],
  ['{ "slack": { "team": "T1" }, "defaults": { "slack": { "users": [] } } }'],
  ['{ "slack": { "team": "T1" }, "defaults": { "slack": { "users": ["@maria"] } } }'],
  ['{ "prices": { "gpt-a": { "input": 1 } } }'],
])('the schema shows an editor the mistake in %s', async (text) => {
  expect((await validator())(JSON.parse(text))).toBe(false);
  expect(loadConfig(text, 'c').ok).toBe(false);
});

it('the schema describes every key', async () => {
  const undescribed: string[] = [];
  const visit = (node: unknown, path: readonly string[]): void => {
    if (typeof node !== 'object' || node === null) return;
    if (path.at(-2) === 'properties' && !('description' in node)) undescribed.push(path.join('.'));
    for (const [key, value] of Object.entries(node)) visit(value, [...path, key]);
  };
  visit(JSON.parse(await read('airlock.schema.json')), []);
  expect(undescribed).toEqual([]);
});
