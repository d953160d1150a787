import { expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import type { AirlockConfig } from '../../src/config/schema.ts';
import { allowing, changeConfig, channelDefault, type ConfigChange } from './config-text.ts';

const shop = { owner: 'acme', name: 'shop' };

/** Reads the text, makes the changes, and returns the new text. */
function changed(text: string, changesOf: (config: AirlockConfig) => readonly ConfigChange[]): string {
  const read = loadConfig(text, 'x');
  const made = changeConfig(text, read.ok ? changesOf(read.config) : []);
  return made.ok ? made.text : made.problem;
}

it.each<[what: string, text: string, after: RegExp]>([
  ['an exact name', '{ "repositories": {} }', /"acme\/shop": \{\}/],
  [
    'a name between comments',
    '{\n  // a\n  "repositories": {\n    // b\n  }, // c\n}',
    /\/\/ a\n[^]*"acme\/shop": \{\}[^]*\/\/ b[^]*\/\/ c/,
  ],
  [
    'nothing if a pattern allows it',
    '{ "repositories": { "acme/*": {} } }',
    /^\{ "repositories": \{ "acme\/\*": \{\} \} \}$/,
  ],
  ['nothing to an invalid file', '{ "repositorys": {} }', /^x:|airlock\.config\.jsonc:1:3/],
])('adds %s', (_, text, after) => {
  const result = changed(text, (config) => allowing(config, [shop]));
  expect(result).toMatch(after);
});

it.each<[access: string, slack: unknown, expected: unknown]>([
  ['nobody', undefined, { channels: ['C0000000001'] }],
  ['another channel', { channels: ['C0000000002'] }, { channels: ['C0000000002', 'C0000000001'] }],
  ['the workspace', 'workspace', 'workspace'],
  ['people of any channel', { users: ['U0000000001'] }, { users: ['U0000000001'] }],
  [
    'people of another channel',
    { users: ['U0000000001'], channels: ['C0000000002'] },
    { users: ['U0000000001'], channels: ['C0000000002', 'C0000000001'] },
  ],
])('gives a channel its repository where %s could use it', (_, slack, expected) => {
  const entry = slack === undefined ? {} : { slack };
  const text = JSON.stringify({ slack: { team: 'T0000000001' }, repositories: { 'Acme/Shop': entry } });
  const after: unknown = JSON.parse(changed(text, (config) => channelDefault(config, 'C0000000001', shop)));
  expect(after).toEqual({
    slack: { team: 'T0000000001', channels: { C0000000001: 'acme/shop' } },
    repositories: { 'Acme/Shop': { slack: expected } },
  });
});
