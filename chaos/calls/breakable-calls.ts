/** Breaks the Worker's calls to its sandbox host as a wire breaks requests to a simulator. */
import * as z from 'zod';

/** `body`: the beginning, as text: enough to see what is asked. */
export const sandboxCall = z.object({ method: z.string(), path: z.string(), body: z.string() });
export type SandboxCall = z.infer<typeof sandboxCall>;

/** A `WireFault` that one process can tell another. Who decides holds a call that is to be held. */
const sandboxFault = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['reset', 'lost', 'duplicate']) }),
  z.object({
    kind: z.literal('refuse'),
    status: z.number(),
    headers: z.record(z.string(), z.string()),
    json: z.unknown(),
  }),
]);
export type SandboxFault = z.infer<typeof sandboxFault>;

/** What a bot's process receives. */
export const toBot = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('stop') }),
  z.object({ kind: z.literal('fault'), id: z.number(), fault: sandboxFault.nullable() }),
]);

type Handle = (request: Request) => Promise<Response>;

const bodyCharacters = 20_000;

export function breakable(
  handle: Handle,
  decide: (call: SandboxCall) => Promise<SandboxFault | null>,
): Handle {
  return async (request) => {
    const { method, url } = request;
    const bytes = request.body === null ? null : await request.arrayBuffer();
    const perform = async () => await handle(new Request(url, { method, body: bytes }));
    const { pathname, search } = new URL(url);
    const body = bytes === null ? '' : new TextDecoder().decode(bytes).slice(0, bodyCharacters);
    const fault = await decide({ method, path: `${pathname}${search}`, body });
    switch (fault?.kind) {
      case undefined:
        return await perform();
      case 'reset':
        throw new Error('the connection to the sandbox host was reset');
      case 'lost':
        await perform();
        return await new Promise<never>(() => undefined);
      case 'refuse':
        return Response.json(fault.json, { status: fault.status, headers: fault.headers });
      case 'duplicate':
        await (await perform()).arrayBuffer();
        return await perform();
    }
  };
}
