/** Runs the sandbox contract on the Cloudflare adapter and both of its classes, with a fake engine. */
import { sandboxKinds } from '../../host/build-worker.ts';
import { createCertificateAuthority } from '../../host/sandbox/certificate-authority.ts';
import { exampleGrant } from '../fixtures/example-grant.ts';
import { describeSandboxContract } from '../sandbox/contract.ts';
import { startCloudflareHost } from './cloudflare-host.ts';
import { startUpstream } from './upstream.ts';

for (const kind of sandboxKinds)
  describeSandboxContract(`the ${kind} sandbox on Cloudflare`, async () => {
    const upstream = await startUpstream();
    const authority = await createCertificateAuthority(Date.now());
    const host = await startCloudflareHost(kind, `http://127.0.0.1:${upstream.port}`, { authority });
    return {
      ...host,
      async grant(sandboxId, phase) {
        await host.call('PUT', `/grants/${sandboxId}`, { ...exampleGrant, phase });
      },
      async close() {
        await host.close();
        upstream.close();
      },
    };
  });
