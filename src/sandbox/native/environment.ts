/**
 * The variables of every process that we start in a container. The platform passes on only `PATH`, so this
 * repeats the `ENV` of `container/Dockerfile` (a test compares them) and names the interceptor's authority.
 */
const authority = '/etc/cloudflare/certs/cloudflare-containers-ca.crt';

export const containerEnvironment: Readonly<Record<string, string>> = {
  PATH: '/opt/node/bin:/opt/codex/bin:/opt/codex/path:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  CARGO_HTTP_CAINFO: authority,
  CODEX_CA_CERTIFICATE: authority,
  CURL_CA_BUNDLE: authority,
  GIT_SSL_CAINFO: authority,
  NODE_EXTRA_CA_CERTS: authority,
  PIP_CERT: authority,
  REQUESTS_CA_BUNDLE: authority,
  SSL_CERT_FILE: authority,
};
