/** The Worker of the sandbox tests over the platform's own container interface. */
import { WorkerEntrypoint } from 'cloudflare:workers';
import { answerContainer } from '../../src/sandbox/cloudflare-egress.ts';
import { answerTest, egressDeps, type SandboxEnv } from './sandbox-worker.ts';

export { TaskSandbox } from '../../src/sandbox/native/native-sandbox.ts';
export { Grants } from './sandbox-worker.ts';

export class SandboxEgress extends WorkerEntrypoint<SandboxEnv, { readonly sandboxId: string }> {
  override async fetch(request: Request): Promise<Response> {
    return await answerContainer(request, this.ctx.props.sandboxId, () =>
      egressDeps(this.env, (work) => this.ctx.waitUntil(work)),
    );
  }
}

export default {
  fetch: async (request, env) => await answerTest(request, env),
} satisfies ExportedHandler<SandboxEnv>;
