/**
 * A local sandbox host whose gateway leads to the real egress handler, with a grant per sandbox. Replaces
 * only the Worker around it: server, stored grants, tokens and upstream.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Grant, GrantPhase } from '../../src/core/grant.ts';
import { exampleGrant } from '../fixtures/example-grant.ts';
import type { EgressDeps } from '../../src/egress/handler.ts';
import { handleLocalEgress } from '../../src/sandbox/local-egress.ts';
import { readBody } from '../fake-engine/http-parts.ts';
import { gatewayToken, localSubject, type LocalSubject } from './local-subject.ts';

export interface GrantedSubject extends LocalSubject {
  /** `exampleGrant` in this phase from the next request on. Without one it reaches nothing. */
  grant(sandboxId: string, phase: GrantPhase): Promise<void>;
}

export async function grantedSubject(): Promise<GrantedSubject> {
  const grants = new Map<string, Grant>();
  const deps: EgressDeps = {
    admit: async (sandboxId) => await Promise.resolve(grants.get(sandboxId) ?? null),
    record: async () => await Promise.resolve(),
    phaseEnded: async () => await Promise.resolve(false),
    readToken: async () => await Promise.resolve('ghs_read_token'),
    packageToken: async () => await Promise.resolve('ghs_package_token'),
    registrySecret: () => 'the-secret-of-a-registry',
    openaiApiKey: 'sk-real-key',
    githubUrl: 'https://github.test',
    openaiBaseUrl: 'https://openai.test/v1',
    fetch: async () => await Promise.resolve(new Response('from upstream')),
    now: () => Date.now(),
    waitUntil: () => undefined,
  };
  const subject = await localSubject({
    respond: (request, response) => void answer(request, response, deps),
  });
  return {
    ...subject,
    async grant(sandboxId, phase) {
      grants.set(sandboxId, { ...exampleGrant, phase });
      await Promise.resolve();
    },
  };
}

/** Parses a request in proxy form: the request line holds the absolute URL. */
async function answer(incoming: IncomingMessage, outgoing: ServerResponse, deps: EgressDeps): Promise<void> {
  const { method = '', url = '', headers } = incoming;
  const body = await readBody(incoming);
  const request = new Request(url, {
    method,
    headers: Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
    ...(body.length === 0 ? {} : { body: new Uint8Array(body) }),
  });
  const answered = await handleLocalEgress(request, gatewayToken, deps);
  outgoing.writeHead(answered.status, [...answered.headers].flat());
  outgoing.end(await answered.bytes());
}
