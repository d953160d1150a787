/**
 * Finds credentials with a recognizable form. Prefers precision, because a hold costs a person's time: no
 * entropy measure, no `password =` rule. So a secret without such a form is not found, as `docs/security.md`
 * says.
 */

interface SecretShape {
  readonly kind: string;
  /** Global, and bounded in length, because the content may be up to 10 MiB of hostile text. */
  readonly pattern: RegExp;
}

const shapes: readonly SecretShape[] = [
  // Demands key material after the header: source code that only names the header is not a key.
  {
    kind: 'a private key',
    pattern:
      /-----BEGIN (?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----(?:\s|\\[nr]|["'+,]){1,20}[A-Za-z0-9+/=:, \r\n\\-]{64}/g,
  },
  { kind: 'a GitHub token', pattern: /\bgh[opusr]_[A-Za-z0-9]{36,255}\b/g },
  { kind: 'a GitHub token', pattern: /\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b/g },
  { kind: 'an AWS access key', pattern: /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/g },
  { kind: 'an OpenAI key', pattern: /\bsk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,200}/g },
  { kind: 'an OpenAI key', pattern: /\bsk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}\b/g },
  { kind: 'an Anthropic key', pattern: /\bsk-ant-[a-z0-9]{2,10}-[A-Za-z0-9_-]{80,200}/g },
  { kind: 'a Slack token', pattern: /\bxox[abeoprs]-[0-9]{8,14}-[A-Za-z0-9-]{20,250}/g },
  { kind: 'a Slack token', pattern: /\bxapp-\d-[A-Z0-9]{8,14}-\d{8,14}-[a-f0-9]{64}\b/g },
  {
    kind: 'a Slack webhook',
    pattern: /hooks\.slack\.com\/services\/T[A-Z0-9]{8,12}\/B[A-Z0-9]{8,12}\/[A-Za-z0-9]{24}\b/g,
  },
  { kind: 'a Google API key', pattern: /\bAIza[A-Za-z0-9_-]{35}\b/g },
  { kind: 'a Stripe key', pattern: /\b[sr]k_live_[A-Za-z0-9]{24,100}\b/g },
  { kind: 'an npm token', pattern: /\bnpm_[A-Za-z0-9]{36}\b/g },
];

/**
 * Recognizes examples and fillers such as `ghp_xxxxxxxx…`: real credentials are random and use many
 * characters.
 */
function placeholder(match: string): boolean {
  return match.endsWith('EXAMPLE') || new Set(match.slice(-24)).size < 8;
}

export interface FoundSecret {
  readonly kind: string;
  /** From 1. */
  readonly line: number;
}

/** Finds the first secret in a text. Never returns the secret itself. */
export function findSecret(text: string): FoundSecret | null {
  for (const { kind, pattern } of shapes) {
    for (const match of text.matchAll(pattern)) {
      if (placeholder(match[0])) continue;
      return { kind, line: text.slice(0, match.index).split('\n').length };
    }
  }
  return null;
}
