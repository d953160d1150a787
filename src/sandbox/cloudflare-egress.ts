/**
 * Answers a request that left a container: both classes of sandboxes end here. `containerId` comes from the
 * platform or from our own registration of the interceptor, never from the container.
 */
import { handleEgress, type EgressDeps } from '../egress/handler.ts';

/** `depsOf` is called for each request. Never throws: an error's text could reach the container. */
export async function answerContainer(
  request: Request,
  containerId: unknown,
  depsOf: () => EgressDeps,
): Promise<Response> {
  try {
    if (typeof containerId !== 'string' || !/^[0-9a-f]{64}$/.test(containerId)) return refused(403);
    return await handleEgress(request, containerId, depsOf());
  } catch {
    // For example a deployment with invalid settings.
    return refused(502);
  }
}

export const refused = (status: number): Response =>
  Response.json(
    { error: { message: 'Airlock: the request could not be carried out', type: 'airlock_egress' } },
    { status },
  );
