/** The sandbox's `/etc` files and environment: fixed text and the certificate, nothing of the host. */

export const caPath = '/etc/airlock/ca.pem';

/** Variables that tell programs which certificate authorities to trust: only the gateway's. */
const trust = Object.fromEntries(
  [
    'SSL_CERT_FILE',
    'CURL_CA_BUNDLE',
    'GIT_SSL_CAINFO',
    'NODE_EXTRA_CA_CERTS',
    'REQUESTS_CA_BUNDLE',
    'CODEX_CA_CERTIFICATE',
    'PIP_CERT',
    'CARGO_HTTP_CAINFO',
  ].map((name) => [name, caPath]),
);

export const environment: Readonly<Record<string, string>> = {
  PATH: '/opt/node/bin:/opt/codex/bin:/opt/codex/path:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
  HOME: '/home/codex',
  USER: 'codex',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  GIT_CONFIG_NOSYSTEM: '1',
  // Makes git fail instead of waiting for a password.
  GIT_TERMINAL_PROMPT: '0',
  ...trust,
};

/** Returns the files' contents by name. `authorityPem` is the gateway's certificate. */
export function systemFiles(authorityPem: string): Readonly<Record<string, string>> {
  return {
    'ca.pem': authorityPem,
    hosts: '127.0.0.1 localhost airlock\n',
    // The sinkhole, which answers every name with the gateway's address.
    'resolv.conf': 'nameserver 127.0.0.1\noptions timeout:1 attempts:2\n',
    'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
    passwd: 'codex:x:1000:1000:Codex:/home/codex:/bin/sh\n',
    group: 'codex:x:1000:\n',
  };
}
