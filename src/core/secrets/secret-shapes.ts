/**
 * Our own shapes of credentials, where they find more than secretlint's rules: what has no end that appended
 * characters could hide, keys in one line of JSON, tokens newer than the pinned rules, binary key stores.
 */

export interface SecretShape {
  readonly kind: string;
  /** Global, bounded in length for hostile text, and without an end that appended characters could hide. */
  readonly pattern: RegExp;
}

export const secretShapes: readonly SecretShape[] = [
  // Demands key material after the header: source code that only names the header is not a key.
  {
    kind: 'a private key',
    pattern:
      /-----BEGIN (?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----(?:\s|\\[nr]|["'+,#*>;|/]){1,20}[A-Za-z0-9+/=:, \r\n\\-]{64}/g,
  },
  {
    kind: 'a PuTTY private key',
    pattern: /PuTTY-User-Key-File-\d: [\s\S]{1,4000}?Private-Lines: \d{1,3}\s{1,4}[A-Za-z0-9+/=]{32}/g,
  },
  // The version of a PKCS#12 file, and the type of its content.
  {
    kind: 'a key store',
    // oxlint-disable-next-line no-control-regex -- the file is binary
    pattern: /0[\x80-\x84][^]{0,4}\x02\x01\x030[^]{1,6}\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01/g,
  },
  // Installation tokens are `ghs_`, the App's id, `_` and a JWT since 2026; older ones are 36 characters.
  {
    kind: 'a GitHub token',
    pattern:
      /gh[opusr]_(?:[A-Za-z0-9]{36}|(?:[A-Za-z0-9]{1,35}_)?eyJ[A-Za-z0-9._-]{33}|\d{1,20}_[A-Za-z0-9._-]{36})/g,
  },
  { kind: 'a GitHub token', pattern: /github_pat_[A-Za-z0-9]{20,30}_[A-Za-z0-9]{36}/g },
  { kind: 'an AWS access key', pattern: /(?:AKIA|ASIA)[A-Z2-7]{16}/g },
  {
    kind: 'an AWS secret key',
    pattern: /secret_?access_?key(?:\\?["'])?\s{0,20}(?::|=>|=)\s{0,20}(?:\\?["'])?[A-Za-z0-9+/]{40}/gi,
  },
  // In JSON, the letter of an escape can be before a key.
  { kind: 'an OpenAI key', pattern: /(?:\b|(?<=\\[nrt]))sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40}/g },
  { kind: 'an OpenAI key', pattern: /sk-(?:[a-z]{4,7}-)?[A-Za-z0-9_-]{20,80}T3BlbkFJ[A-Za-z0-9_-]{20}/g },
  { kind: 'an Anthropic key', pattern: /(?:\b|(?<=\\[nrt]))sk-ant-[a-z0-9]{2,10}-[A-Za-z0-9_-]{80}/g },
  { kind: 'a Slack token', pattern: /xox[abeoprs]-[0-9]{8,14}-[A-Za-z0-9-]{20}/g },
  { kind: 'a Slack token', pattern: /xapp-\d-[A-Z0-9]{8,14}-\d{8,14}-[a-f0-9]{64}/g },
  {
    kind: 'a Slack webhook',
    pattern: /hooks\.slack\.com\/services\/T[A-Z0-9]{8,12}\/B[A-Z0-9]{8,12}\/[A-Za-z0-9]{24}/g,
  },
  { kind: 'a Google API key', pattern: /(?:\b|(?<=\\[nrt]))AIza[A-Za-z0-9_-]{35}/g },
  { kind: 'a Stripe key', pattern: /[sr]k_live_[A-Za-z0-9]{24}/g },
  { kind: 'an npm token', pattern: /npm_[A-Za-z0-9]{36}/g },
  { kind: 'a SendGrid key', pattern: /SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}/g },
  { kind: 'a 1Password token', pattern: /ops_eyJ[A-Za-z0-9+/=_-]{200}/g },
];
