/** Global set-up: builds the Worker before the first bot starts, so that no two bots build it at once. */
import { buildWorker } from '../../host/build-worker.ts';

export default async function setUp(): Promise<void> {
  await buildWorker(() => undefined);
}
