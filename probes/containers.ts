/**
 * Starts the bot as on Cloudflare for the probes: the uploaded bundle in real workerd, with containers of the
 * tests' fake engine.
 */
import type { WorldOptions } from '../cli/demo/world.ts';
import type { SandboxKind } from '../host/build-worker.ts';
import { createCertificateAuthority } from '../host/sandbox/certificate-authority.ts';
import { startCloudflareBot } from '../test/cloudflare/cloudflare-bot.ts';
import { startEngine } from '../test/fake-engine/engine.ts';

export interface Containers {
  readonly startBot: NonNullable<WorldOptions['startBot']>;
  close(): Promise<void>;
}

export async function startContainers(kind: SandboxKind): Promise<Containers> {
  const engine = await startEngine({ authority: await createCertificateAuthority(Date.now()) });
  return {
    startBot: async (options) => await startCloudflareBot(options, engine, { kind, withDoor: true }),
    close: async () => await engine.close(),
  };
}
