import { rules } from '@secretlint/secretlint-rule-preset-recommend';
import { describe, expect, it } from 'vitest';
import {
  hexDigits as hex,
  jwt,
  pem,
  randomText as random,
  secretExamples as tokens,
} from '../../../test/fixtures/secret-examples.ts';
import { findSecrets, wasHere, withoutSecrets } from './find-secrets.ts';

/** Passwords end where the text says, so that there is nothing to append. */
const passwords: readonly (readonly [string, string, string, string])[] = [
  ['basicauth', 'a password in a URL', `https://ada:${random(12)}@git.acme.dev/x.git`, ''],
  ['database-connection-string', 'the password of a database', `postgres://ada:${random(9)}@db/x`, ''],
  ['database-connection-string', 'the password of a database', `mongodb+srv://ada:${random(9)}@db`, ''],
  ['database-connection-string', 'the password of a database', `jdbc:mysql://ada:${random(9)}@db:3306`, ''],
  ['npm', 'an npm token', `//registry.acme.dev/:_authToken=${random(20)}`, 'app/.NPMRC'],
  ['npm', 'an npm token', `//npm.pkg.github.com/:_authToken=11f0ac0e-5b8d-4046-9c1e-7f3a9c1e5b8d`, '.npmrc'],
];

const kindsIn = (text: string, path = ''): readonly string[] =>
  findSecrets(text, path).map(({ kind }) => kind);
const wide = (text: string): string => `\u00ff\u00fe${text.split('').join('\0')}\0`;

describe('findSecrets', () => {
  it('has an example for each rule of the pinned preset', () => {
    const names = rules.map(({ meta }) => meta.id.replace('@secretlint/secretlint-rule-', ''));
    // Those two are left out on purpose.
    const known = new Set([...tokens, ...passwords].map(([name]) => name).concat('filter-comments', 'gcp'));
    expect(names.filter((name) => !known.has(name))).toEqual([]);
  });

  it.each(tokens)('knows, in every form, an example for the rule %s: %s', (_, kind, secret) => {
    const half = Math.max(secret.length / 2, secret.length - 20);
    const halves = [secret.slice(0, half), secret.slice(half)];
    const forms: Readonly<Record<string, string>> = {
      alone: secret,
      'in a sentence': `Set TOKEN to ${secret}, then run it.`,
      'with characters before and after it': `x${secret}${'A'.repeat(200)}`,
      'after the letter of an escape': JSON.stringify({ text: `see\n${secret}` }),
      'in UTF-16': wide(`token = ${secret}\r\n`),
      'in base64': `data:\n  token: ${btoa(secret)}\n`,
      'in wrapped base64': btoa(`token = "${secret}"\n`.repeat(3)).replace(/.{76}/g, '$&\n    '),
      'over two lines': `t: ${halves[0]}\n  ${halves[1]}\n`,
      'over two literals': `t =\n  '${halves[0]}' +\n  '${halves[1]}';`,
      'after the words that switch secretlint off': `/* secretlint-disable */ ${secret} // secretlint-disable-line`,
      'in binary': `\u0000\u0001\u00ff${secret}\u00ff`,
      'in lines that end like Windows’': `a\r\n${secret}\r\nb`,
    };
    for (const [name, form] of Object.entries(forms)) {
      // Base64 holds each four letters by chance, so a Google key needs a border before it.
      const known = name.includes('before') && secret.startsWith('AIza') ? [] : [kind];
      expect([name, kindsIn(form)]).toEqual([name, expect.arrayContaining(known)]);
    }
    for (const name of [
      'alone',
      'over two lines',
      'in a sentence',
      'after the letter of an escape',
      'in base64',
    ])
      expect(withoutSecrets(forms[name] ?? '')).not.toMatch(/[A-Za-z0-9+/]{20}/);
  });

  it.each(passwords)('knows an example for the rule %s: %s', (_, kind, text, path) => {
    expect(kindsIn(`a ${text} b`, path)).toEqual([kind]);
    expect(kindsIn(wide(`a ${text} b`), path)).toEqual([kind]);
    expect(withoutSecrets(text)).not.toContain(path === '' ? random(9) : '\0');
  });

  it.each<[string, string]>([
    ['a filler', `token: glpat-${'x'.repeat(20)}`],
    ['a filler after a real beginning', `hvs.${'CAESI'.repeat(20)}`],
    ['a long name in small letters', 'npm_config_registry_of_the_whole_organization_that_we_use'],
    ['a long name in camel case', 'hf_someLongNameThatGoesOnForEverWithoutAnyNumber'],
    ['a key of kebab case', 'risk-admin-panel-with-a-very-long-name-that-goes-on-and-on-and-on'],
    ['a token in the words of a document', 'xoxb-your-bot-token, xoxb-1234-abcdefghijklmnopqrstuvwx'],
    [
      'a webhook in the words of a document',
      `https://hooks.slack.com/services/T00000000/B00000000/${'X'.repeat(24)}`,
    ],
    ['AWS’s documentation', `AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY`],
    ['a URL with words for a password', 'https://user:pass@acme.dev https://ada:PASSWORD@acme.dev'],
    ['a URL with variables', 'postgres://$USER:${PASSWORD}@db/x mysql://{user}:{password}@db'],
    ['a registry’s variable', '//npm.acme.example/:_authToken=${NPM_TOKEN}'],
    ['a checksum', `sha512-${random(64)}== ${hex(64)}`],
    ['a picture in base64', `data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA${random(500)}`],
  ])('finds nothing in %s', (_, text) => {
    expect(findSecrets(text, 'app/.npmrc')).toEqual([]);
  });

  it.each<[string, (line: string) => string]>([
    ['as it is', (line) => line],
    ['in a comment', (line) => ` * ${line}`],
    ['in a shell’s comment', (line) => `# ${line}`],
    ['in literals that are joined', (line) => `  "${line}\\n" +`],
  ])('finds the key of OpenSSH, with zeros in its first line, %s', (_, wrap) => {
    const zeros = 'b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW';
    const [begin = '', ...rest] = pem('OPENSSH ').split('\n');
    const lines = [begin, zeros, ...rest];
    const text = lines.map(wrap).join('\n');
    expect(kindsIn(text)).toContain('a private key');
    expect(withoutSecrets(text)).not.toMatch(/[A-Za-z0-9+/]{20}/);
  });

  it('names each line once, and counts lines without an array of them', () => {
    const two = `${'\n'.repeat(50_000)}ghp_${random(36)}\r\n\nglpat-${random(20)}`;
    expect(findSecrets(`${two}\nghp_${random(36)}`).map(({ kind, line }) => [kind, line])).toEqual([
      ['a GitHub token', 50_001],
      ['a GitLab token', 50_003],
    ]);
  });

  it('finds a secret behind megabytes of other text', () => {
    expect(kindsIn(`${'A1b2 '.repeat(400_000)}ghp_${random(36)}`)).toEqual(['a GitHub token']);
  });

  it('stops at a thousand secrets', () => {
    const many = Array.from(
      { length: 1001 },
      (_, index) => `ghp_${String(index).padStart(6, '0')}${random(30)}`,
    );
    expect(findSecrets(many.join('\n')).at(-1)).toMatchObject({ kind: 'more than 1000 secrets', value: '' });
  });

  it.each<[string, string]>([
    ['parts of a chain', 'xoxb-a-'],
    ['one endless chain', 'a-'],
    ['beginnings of a token', 'ghs_1_'],
    ['beginnings of a key', '-----BEGIN '],
    ['base64', 'Z2hw'],
  ])('reads half a million characters of %s', (_, piece) => {
    expect(kindsIn(`xoxb-${piece.repeat(250_000)}`.slice(0, 500_000))).toEqual([]);
  });
});

describe('withoutSecrets', () => {
  it.each<[string, string, string]>([
    ['a text without any', 'See `a` and b.', 'See `a` and b.'],
    ['a token', `Use ghp_${random(36)}.`, 'Use [a GitHub token was here].'],
    ['a token of 520 characters', `(ghs_1234567_${jwt})`, '([a GitHub token was here])'],
    ['a key with its end', `Key:\n${pem('RSA ')}\nDone.`, 'Key:\n[a private key was here]\nDone.'],
    [
      'the same twice',
      `ghp_${random(36)} ghp_${random(36)}`,
      '[a GitHub token was here] [a GitHub token was here]',
    ],
    [
      'a password',
      `https://ada:${random(9)}@acme.dev/`,
      'https://ada:[a password in a URL was here]@acme.dev/',
    ],
    ['base64', `x: ${btoa(`ghp_${random(36)}`)}`, 'x: [a GitHub token was here]'],
  ])('takes out %s', (_, text, shown) => {
    expect(withoutSecrets(text)).toBe(shown);
    expect(wasHere.exec(shown)?.[1]).toBe(findSecrets(text)[0]?.kind);
  });

  it('leaves JSON readable', () => {
    const value = { a: `postgres://ada:${random(9)}@db/x?y`, b: pem('EC '), c: [`"ghp_${random(36)}"`] };
    expect(JSON.parse(withoutSecrets(JSON.stringify(value)))).toEqual({
      a: 'postgres://ada:[the password of a database was here]@db/x?y',
      b: '[a private key was here]',
      c: ['"[a GitHub token was here]"'],
    });
  });
});
