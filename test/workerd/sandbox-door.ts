/** A Worker in the bot's workerd: through it Node calls the product's adapter on the bot's own sandboxes. */
import type { ContainerObject } from '../../src/sandbox/cloudflare-object.ts';
import { cloudflareSandboxes } from '../../src/sandbox/cloudflare-sandboxes.ts';
import { callSchema, performCall } from '../../src/web/sandbox-calls.ts';

export default {
  async fetch(request, { SANDBOX }): Promise<Response> {
    const [, , sandboxId = ''] = new URL(request.url).pathname.split('/');
    const call = callSchema.parse(await request.json());
    return Response.json(await performCall(call, cloudflareSandboxes(SANDBOX).get(sandboxId)));
  },
} satisfies ExportedHandler<{ readonly SANDBOX: DurableObjectNamespace<ContainerObject> }>;
