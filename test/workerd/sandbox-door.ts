/** A Worker in the bot's workerd: through it Node calls the product's adapter on the bot's own sandboxes. */
import { cloudflareSandboxes } from '../../src/sandbox/cloudflare-sandboxes.ts';
import type { TaskSandbox } from '../../src/sandbox/cloudflare.ts';
import { answerCall } from '../cloudflare/remote-worker-side.ts';

export default {
  async fetch(request, { SANDBOX }): Promise<Response> {
    const [, , sandboxId = ''] = new URL(request.url).pathname.split('/');
    return await answerCall(request, cloudflareSandboxes(SANDBOX), sandboxId);
  },
} satisfies ExportedHandler<{ readonly SANDBOX: DurableObjectNamespace<TaskSandbox> }>;
