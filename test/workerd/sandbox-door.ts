/** A Worker in the bot's workerd: through it Node calls the product's adapter on the bot's own sandboxes. */
import { cloudflareSandboxes } from '../../src/sandbox/cloudflare-sandboxes.ts';
import type { TaskSandbox } from '../../src/sandbox/cloudflare.ts';
import { callSchema, performCall } from '../../src/web/sandbox-calls.ts';

export default {
  async fetch(request, { SANDBOX }): Promise<Response> {
    const [, , sandboxId = ''] = new URL(request.url).pathname.split('/');
    const call = callSchema.parse(await request.json());
    return Response.json(await performCall(call, cloudflareSandboxes(SANDBOX).get(sandboxId)));
  },
} satisfies ExportedHandler<{ readonly SANDBOX: DurableObjectNamespace<TaskSandbox> }>;
