/** Finds credentials of a recognizable form, for precision: no entropy measure (`docs/security.md`). */

interface SecretShape {
  readonly kind: string;
  /** Global, bounded in length for hostile text, and without an end that appended characters could hide. */
  readonly pattern: RegExp;
}

const shapes: readonly SecretShape[] = [
  // Demands key material after the header: source code that only names the header is not a key.
  {
    kind: 'a private key',
    pattern:
      /-----BEGIN (?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----(?:\s|\\[nr]|["'+,]){1,20}[A-Za-z0-9+/=:, \r\n\\-]{64}/g,
  },
  // Installation tokens are `ghs_`, the App's id, `_` and a JWT since 2026; older ones are 36 characters.
  {
    kind: 'a GitHub token',
    pattern:
      /gh[opusr]_(?:[A-Za-z0-9]{36}|(?:[A-Za-z0-9]{1,35}_)?eyJ[A-Za-z0-9._-]{33}|\d{1,20}_[A-Za-z0-9._-]{36})/g,
  },
  { kind: 'a GitHub token', pattern: /github_pat_[A-Za-z0-9]{20,30}_[A-Za-z0-9]{36}/g },
  { kind: 'an AWS access key', pattern: /(?:AKIA|ASIA)[A-Z2-7]{16}/g },
  { kind: 'an OpenAI key', pattern: /\bsk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40}/g },
  { kind: 'an OpenAI key', pattern: /sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}/g },
  { kind: 'an Anthropic key', pattern: /\bsk-ant-[a-z0-9]{2,10}-[A-Za-z0-9_-]{80}/g },
  { kind: 'a Slack token', pattern: /xox[abeoprs]-[0-9]{8,14}-[A-Za-z0-9-]{20}/g },
  { kind: 'a Slack token', pattern: /xapp-\d-[A-Z0-9]{8,14}-\d{8,14}-[a-f0-9]{64}/g },
  {
    kind: 'a Slack webhook',
    pattern: /hooks\.slack\.com\/services\/T[A-Z0-9]{8,12}\/B[A-Z0-9]{8,12}\/[A-Za-z0-9]{24}/g,
  },
  { kind: 'a Google API key', pattern: /\bAIza[A-Za-z0-9_-]{35}/g },
  { kind: 'a Stripe key', pattern: /[sr]k_live_[A-Za-z0-9]{24}/g },
  { kind: 'an npm token', pattern: /npm_[A-Za-z0-9]{36}/g },
];

/** Fillers such as `ghp_xxxxxxxx…`: real credentials are random and use many characters. */
function placeholder(match: string): boolean {
  return match.endsWith('EXAMPLE') || new Set(match.slice(-24)).size < 8;
}

export interface FoundSecret {
  readonly kind: string;
  /** From 1. */
  readonly line: number;
}

/** Also in UTF-16 read byte by byte. Never returns the secret itself. */
export function findSecret(text: string): FoundSecret | null {
  return firstIn(text) ?? (text.includes('\0') ? firstIn(text.replaceAll('\0', '')) : null);
}

function firstIn(text: string): FoundSecret | null {
  for (const { kind, pattern } of shapes) {
    // A credential may begin inside a placeholder.
    for (let from = 0; ;) {
      pattern.lastIndex = from;
      const match = pattern.exec(text);
      if (match === null) break;
      if (!placeholder(match[0])) return { kind, line: text.slice(0, match.index).split('\n').length };
      from = match.index + 1;
    }
  }
  return null;
}

/** Shows a name, unless it holds a secret. */
export const withoutSecret = (name: string): string =>
  findSecret(name) === null ? name : 'a file whose name holds a secret';
