/** Host names that no list opens: refused when a list is read, and again when a request is decided. */

/** Hosts that receive our credentials, or accept uploads from anybody with an account. */
const credentialSuffixes = [
  '.github.com',
  '.githubusercontent.com',
  '.githubapp.com',
  '.ghe.com',
  '.openai.com',
  '.chatgpt.com',
];
/** Names that resolve only inside a network, such as a cloud's metadata service. */
const internalSuffixes = ['.localhost', '.local', '.internal', '.localdomain', '.home.arpa', '.onion'];

/** GitHub's package registries and their storage: reserved, but a private registry may be one of them. */
export const githubPackages =
  /^(?:(?:npm|maven|nuget|rubygems)\.(?:pkg\.github\.com|[a-z0-9-]+\.ghe\.com)|pkg-[a-z]+\.githubusercontent\.com)$/;

/** Says why a host name is reserved; null if it is not. Takes lower case. */
export function reservedAs(hostname: string): 'credential' | 'internal' | null {
  const name = `.${hostname}`;
  if (credentialSuffixes.some((suffix) => name.endsWith(suffix))) return 'credential';
  return internalSuffixes.some((suffix) => name.endsWith(suffix)) ? 'internal' : null;
}

/** True for the domain itself and for every name below it. */
export function isWithin(hostname: string, domain: string): boolean {
  return `.${hostname}`.endsWith(`.${domain}`);
}
