/**
 * What the Workers of the sandbox tests share: the product's adapter and egress handler, a small store of
 * grants, and a door through which a test in Node calls the adapter. `native-worker.ts` and `sdk-worker.ts`
 * add the sandbox's class.
 */
import { DurableObject } from 'cloudflare:workers';
import type { EgressEntry, Grant, GrantPhase } from '../../src/core/grant.ts';
import type { EgressDeps } from '../../src/egress/handler.ts';
import type { ContainerObject } from '../../src/sandbox/cloudflare-object.ts';
import { cloudflareSandboxes } from '../../src/sandbox/cloudflare-sandboxes.ts';
import { callSchema, performCall } from '../../src/web/sandbox-calls.ts';

export interface SandboxEnv extends Cloudflare.Env {
  readonly SANDBOX: DurableObjectNamespace<ContainerObject>;
  readonly GRANTS: DurableObjectNamespace<Grants>;
  readonly UPSTREAM: string;
}

/** Stores the grant of one sandbox under the sandbox's id, in place of the task's record. */
export class Grants extends DurableObject<SandboxEnv> {
  #grant: Grant | null = null;
  #entries: EgressEntry[] = [];

  put(grant: Grant): void {
    this.#grant = grant;
    this.#entries = [];
  }
  admit(): Grant | null {
    return this.#grant;
  }
  async phaseEnded(phase: GrantPhase): Promise<boolean> {
    while (this.#grant?.phase === phase) await new Promise((resolve) => setTimeout(resolve, 50));
    return true;
  }
  record(entry: EgressEntry): void {
    this.#entries.push(entry);
  }
  entries(): EgressEntry[] {
    return this.#entries;
  }
}

const grantsOf = (env: SandboxEnv, containerId: string) => env.GRANTS.get(env.GRANTS.idFromName(containerId));

/** The point at which the handler fails next. Tests and handlers share one isolate. */
let failure = 'none';
function failIn(where: string): void {
  if (failure === where) throw new Error('a secret: ghs_read_token');
}

/** Redirects requests for a grant's hosts, which do not exist in a test, to the upstream. */
function redirectToUpstream(input: RequestInfo | URL, upstream: string): RequestInfo | URL {
  const url = input instanceof Request ? null : URL.parse(String(input));
  return url?.hostname.endsWith('.example.com') === true
    ? `${upstream}/${url.hostname}${url.pathname}`
    : input;
}

export function egressDeps(env: SandboxEnv, waitUntil: (work: Promise<unknown>) => void): EgressDeps {
  failIn('deps');
  return {
    admit: async (containerId) => {
      failIn('admit');
      return await grantsOf(env, containerId).admit();
    },
    record: async (containerId, entry) => await grantsOf(env, containerId).record(entry),
    phaseEnded: async (containerId, phase) => await grantsOf(env, containerId).phaseEnded(phase),
    readToken: async () => await Promise.resolve('ghs_read_token'),
    packageToken: async () => await Promise.resolve('ghs_package_token'),
    registrySecret: () => 'the-secret-of-a-registry',
    openaiApiKey: 'sk-real-key',
    githubUrl: `${env.UPSTREAM}/github`,
    openaiBaseUrl: `${env.UPSTREAM}/openai/v1`,
    fetch: async (input, init) => await fetch(redirectToUpstream(input, env.UPSTREAM), init),
    now: () => Date.now(),
    waitUntil,
  };
}

export async function answerTest(request: Request, env: SandboxEnv): Promise<Response> {
  const { pathname } = new URL(request.url);
  const [, area = '', id = ''] = pathname.split('/');
  switch (`${request.method} ${area}`) {
    case 'POST sandboxes': {
      const call = callSchema.parse(await request.json());
      return Response.json(await performCall(call, cloudflareSandboxes(env.SANDBOX).get(id)));
    }
    case 'PUT grants':
      await grantsOf(env, id).put(await request.json());
      return new Response(null, { status: 204 });
    case 'GET entries':
      return Response.json(await grantsOf(env, id).entries());
    case 'PUT failure':
      failure = id;
      return new Response(null, { status: 204 });
    default:
      return new Response(null, { status: 404 });
  }
}
