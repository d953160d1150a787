/** The Worker of the sandbox tests over the SDK. */
import { Sandbox } from '@cloudflare/sandbox';
import { connectOutbound, TaskSandbox } from '../../src/sandbox/sdk/sdk-sandbox.ts';
import { answerTest, egressDeps, type SandboxEnv } from './sandbox-worker.ts';

export { ContainerProxy, TaskSandbox } from '../../src/sandbox/sdk/sdk-sandbox.ts';
export { Grants } from './sandbox-worker.ts';

interface Env extends SandboxEnv {
  readonly TRAP: DurableObjectNamespace<StaticFieldTrap>;
  readonly ASSIGNED: DurableObjectNamespace<AssignedAfter>;
}

connectOutbound((env: Env, waitUntil) => egressDeps(env, waitUntil));

/** The mistake to avoid: the SDK never sees a static field's handlers, and its hosts open the sandbox. */
export class StaticFieldTrap extends Sandbox {
  override enableInternet = false;
  override interceptHttps = true;
  override allowedHosts = ['localhost'];
  static override outboundByHost = { localhost: () => new Response('decided by the handler') };
}

/** The same mistake, assigned after the class declaration. */
export class AssignedAfter extends Sandbox {
  override enableInternet = false;
  override interceptHttps = true;
  override allowedHosts = ['localhost'];
}
AssignedAfter.outboundByHost = { localhost: () => new Response('decided by the handler') };

export default {
  async fetch(request, env): Promise<Response> {
    const [, area = '', id = '', objectId = ''] = new URL(request.url).pathname.split('/');
    switch (`${request.method} ${area}`) {
      case 'GET statics':
        return Response.json({
          ownOfTaskSandbox: Object.getOwnPropertyNames(TaskSandbox).toSorted(),
          taskSandboxCatchesAll: TaskSandbox.outbound !== undefined,
          ownOfTrap: Object.getOwnPropertyNames(StaticFieldTrap).includes('outboundByHost'),
          className: TaskSandbox.name,
        });
      case 'POST start': {
        if (id === 'TRAP') await env.TRAP.get(env.TRAP.idFromString(objectId)).startAndWaitForPorts(3000);
        else await env.ASSIGNED.get(env.ASSIGNED.idFromString(objectId)).startAndWaitForPorts(3000);
        return new Response(null, { status: 204 });
      }
      default:
        return await answerTest(request, env);
    }
  },
} satisfies ExportedHandler<Env>;
