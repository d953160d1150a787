/**
 * Runs the rules of secretlint's recommended preset on a text, and opens their ends: most demand that a token
 * is a whole word, so one character before or after it would hide it. In return a token must look random, or
 * each long name would be one.
 */
import { rules } from '@secretlint/secretlint-rule-preset-recommend';
import { looksRandom } from './looks-random.ts';

/** What each rule finds, by the last part of its name. A rule that is new in the preset needs no row. */
const kinds: Readonly<Record<string, string>> = {
  aws: 'an AWS secret key',
  npm: 'an npm token',
  slack: 'a Slack token',
  basicauth: 'a password in a URL',
  'database-connection-string': 'the password of a database',
  openai: 'an OpenAI key',
  anthropic: 'an Anthropic key',
  groq: 'a Groq key',
  huggingface: 'a Hugging Face token',
  linear: 'a Linear key',
  notion: 'a Notion token',
  privatekey: 'a private key',
  sendgrid: 'a SendGrid key',
  shopify: 'a Shopify token',
  stripe: 'a Stripe key',
  github: 'a GitHub token',
  gitlab: 'a GitLab token',
  grafana: 'a Grafana token',
  '1password': 'a 1Password token',
  'hashicorp-vault': 'a Vault token',
  vercel: 'a Vercel token',
  databricks: 'a Databricks token',
  docker: 'a Docker token',
  figma: 'a Figma token',
  cloudflare: 'a Cloudflare token',
  tailscale: 'a Tailscale key',
};

/**
 * Left out: comments that switch rules off, which the author of a change could write, and the rule that
 * parses whole files as JSON or reads them from a disk. Our own shapes find the keys in them.
 */
const leftOut: ReadonlySet<string> = new Set(['filter-comments', 'gcp']);

/** People choose passwords, so they need not look random. */
const passwords: ReadonlySet<string> = new Set(['basicauth', 'database-connection-string']);

export interface SecretMatch {
  readonly kind: string;
  readonly start: number;
  readonly end: number;
}

interface Check {
  readonly kind: string;
  readonly file: (content: SearchedText, filePath: string) => void;
}

const checks: readonly Check[] = rules.flatMap(({ meta, create }) => {
  const name = meta.id.replace(/^.*secretlint-rule-/, '');
  if (leftOut.has(name)) return [];
  let searched: SearchedText | null = null;
  const report = () => searched?.keepCurrent(passwords.has(name));
  const rule = create({ createTranslator: () => () => ({}), report }, {});
  const file: Check['file'] = (content, filePath) => {
    searched = content;
    rule.file({ content, filePath, ext: '', contentType: 'text' });
  };
  return [{ kind: kinds[name] ?? `what secretlint’s rule “${name}” knows`, file }];
});

/** `path` is in lower case: some rules look only into files of a certain name. */
export function secretlintMatches(text: string, path: string): readonly SecretMatch[] {
  return checks.flatMap(({ kind, file }) => {
    const searched = new SearchedText(text);
    try {
      file(searched, path);
    } catch {
      // A hostile text can use up a pattern's stack. Then it counts as a secret.
      return [{ kind, start: 0, end: 0 }];
    }
    return searched.kept.map((range) => ({ kind, ...range }));
  });
}

/** What a rule searches instead of a string: it keeps the places of the matches that the rule reports. */
class SearchedText extends String {
  readonly kept: { readonly start: number; readonly end: number }[] = [];
  #current: RegExpExecArray | null = null;

  override *matchAll(pattern: RegExp): RegExpStringIterator<RegExpExecArray> {
    for (const match of super.matchAll(opened(pattern))) {
      this.#current = match;
      yield match;
    }
  }

  /** The range that a rule reports is not always the secret's. */
  keepCurrent(isPassword: boolean): void {
    if (this.#current === null) return;
    const { 0: whole, index } = this.#current;
    const [, before = '', password = ''] =
      (isPassword ? /^([^:]*(?::[^:]*)?:\/\/[^:]*:)([^@]*)@/ : /^(_authtoken=)(.*)$/i).exec(whole) ?? [];
    const start = index + before.length;
    if (password === '' ? looksRandom(whole) : !isPlaceholder(password))
      this.kept.push({ start, end: password === '' ? index + whole.length : start + password.length });
  }
}

const isPlaceholder = (password: string): boolean =>
  /^(?:[A-Z_]+|[<{[$%].*|(.)\1*)$/.test(password) ||
  /^(?:my|your|the)?[-_]?(?:pass|passwd|password|pwd|secret|token|changeme|user|admin|root)$/i.test(password);

const openedPatterns = new Map<string, RegExp>();
/**
 * Needs no border around a token, and looks a bounded way ahead for the next part of one: a hostile text that
 * repeats a token's beginning would cost a second a MiB.
 */
function opened(pattern: RegExp): RegExp {
  const known = openedPatterns.get(pattern.source);
  if (known !== undefined) return known;
  const source = pattern.source
    .replace(/^\(\?<!\\p\{L\}\)/, '')
    .replace(/\(\?![^()]*\)$/, '')
    .replace(/\{1,\d{4,}\}/g, '{1,100}');
  const open = new RegExp(source, pattern.flags);
  openedPatterns.set(pattern.source, open);
  return open;
}
