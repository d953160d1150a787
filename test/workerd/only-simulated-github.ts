/** Makes `fetch` to any other host throw, in the tests and in the Worker, which share these globals. */
import { inject } from 'vitest';

const reach = globalThis.fetch;
const allowed = `${inject('github').apiUrl}/`;

globalThis.fetch = async (input: RequestInfo | URL, init?: RequestInit) => {
  const url = input instanceof Request ? input.url : input.toString();
  if (!url.startsWith(allowed)) throw new Error(`unexpected request to ${url}`);
  return await reach(input, init);
};
