/** What `cloudflare:workers` holds in these tests: the Worker's own bindings and entrypoints. */
import type { Env as WorkerEnv } from '../../src/compose/env.ts';

declare global {
  namespace Cloudflare {
    interface Env extends WorkerEnv {}
    interface GlobalProps {
      mainModule: typeof import('../../src/index.ts');
    }
  }
}
