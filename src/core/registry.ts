/** A private package registry that setup may read, and which names and values its credential may have. */
import { githubPackages, reservedAs } from './reserved-hosts.ts';

/** How the secret is sent. `basic`: it is `user:password`. `github-app`: an installation token. */
export type RegistryScheme = 'bearer' | 'basic' | 'github-app' | { readonly header: string };

/** Names the secret and never holds it: it is stored with the task's policy. */
export interface Registry {
  /** In lower case. */
  readonly host: string;
  /** Without a slash at its end; empty: the whole host. */
  readonly pathPrefix: string;
  readonly scheme: RegistryScheme;
  /** The name of the setting that holds it; null with `github-app`. */
  readonly secret: string | null;
  /** Hosts in lower case that the registry may redirect to, without the credential. */
  readonly blobHosts: readonly string[];
}

/** Settings, bindings and the platform's own names. `settings.test.ts` compares it with the real ones. */
const ours =
  /^(?:GITHUB|OPENAI|SLACK|AIRLOCK|SANDBOX|CLOUDFLARE|CF|WRANGLER)(?:_|$)|^(?:API_TOKEN|PORT|BOT_ID|HOST_READ_TOKEN|DEPLOYED_VERSION|SETUP_CACHE|ASSETS|TASKS|TASK_INDEX|TASK_INBOX|TASK_WORKFLOW|DELIVERIES|METRICS|LEDGER|SLOTS)$/;

/** Says what the name of a registry's secret should have been; null if it may be used. */
export function secretNameProblem(name: string): string | null {
  if (!/^[A-Z][A-Z0-9_]{2,99}$/.test(name))
    return 'the name of a setting in capitals that holds the secret, such as "NPM_TOKEN"';
  return ours.test(name) ? 'a name that no setting of Airlock has or begins with, such as "NPM_TOKEN"' : null;
}

/** A shorter one appears in answers by chance, so they could not be searched for it. */
const shortestSecret = 8;
/** The answers' last bytes are held back for some multiple of it. */
const longestSecret = 4096;

/** Says what is wrong with a value, without repeating any of it; null if it can be sent. */
export function secretProblem(value: string, scheme: RegistryScheme): string | null {
  if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value))
    return 'has characters that no header carries, or a space or line break at an end';
  if (value.length > longestSecret) return `is longer than ${longestSecret} characters`;
  if (scheme === 'basic' && !/^[^:]+:./.test(value)) return 'has to be user:password, for the scheme "basic"';
  const shortest = scheme === 'basic' ? passwordOf(value) : value;
  return shortest.length < shortestSecret ? `is shorter than ${shortestSecret} characters` : null;
}

export const passwordOf = (pair: string): string => pair.slice(pair.indexOf(':') + 1);

/** The secret of a private registry; null if it is not set. Never another setting, whatever asks. */
export function registrySecret(environment: Readonly<Record<string, unknown>>, name: string): string | null {
  const value = secretNameProblem(name) === null ? environment[name] : null;
  return typeof value === 'string' && value.trim() !== '' ? value : null;
}

/** What is wrong with the secrets that registries name, by name. Never repeats a value. */
export function registrySecretProblems(
  registries: readonly Registry[],
  environment: Readonly<Record<string, unknown>>,
): ReadonlyMap<string, string> {
  const problems = registries.flatMap(({ host, scheme, secret }): [string, string][] => {
    if (secret === null) return [];
    const value = registrySecret(environment, secret);
    const problem = value === null ? `is missing: the credential of ${host}` : secretProblem(value, scheme);
    return problem === null ? [] : [[secret, problem]];
  });
  return new Map(problems);
}

/** How a credential is sent: the secret, or a token of the App. */
export function credentialHeader(
  scheme: RegistryScheme,
  secret: string,
): { readonly header: string; readonly value: string } {
  if (typeof scheme !== 'string') return { header: scheme.header, value: secret };
  return {
    header: 'authorization',
    value: scheme === 'basic' ? `Basic ${btoa(secret)}` : `Bearer ${secret}`,
  };
}

/** GitHub's package registries can be listed here, and nowhere else. */
export function reservedForRegistries(hostname: string): boolean {
  return reservedAs(hostname) !== null && !githubPackages.test(hostname);
}
