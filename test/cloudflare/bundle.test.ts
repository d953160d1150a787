/** Checks the uploaded bundle: classes keep the names by which the platform and the SDK find them. */
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { buildWorker, type SandboxKind } from '../../host/build-worker.ts';

/** Prints the run-time name of each exported class, which keys the SDK's registries. */
const witness = `
import * as worker from './index.js';
const classes = Object.entries(worker).filter(([, value]) => typeof value === 'function');
const names = Object.fromEntries(classes.map(([key, { name }]) => [key, name]));
export default { fetch: () => Response.json(names) };
export * from './index.js';
`;

const everyKind = [
  'TaskSandbox',
  'TaskRecord',
  'TaskWorkflow',
  'TaskInbox',
  'TaskIndex',
  'Slots',
  'EgressGateway',
];

async function namesIn(kind: SandboxKind): Promise<Record<string, string>> {
  const { modules } = await buildWorker(() => undefined, kind);
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      name: 'airlock-bundle',
      log: new Log(LogLevel.NONE),
      cf: false,
      modules: [{ type: 'ESModule', path: 'witness.js', contents: witness }, ...modules],
      compatibilityDate: '2026-10-20',
      compatibilityFlags: ['nodejs_compat'],
    }),
  );
  try {
    const answer = await miniflare.dispatchFetch('http://worker/');
    return z.record(z.string(), z.string()).parse(await answer.json());
  } finally {
    await miniflare.dispose();
  }
}

it.each<[SandboxKind, object]>([
  ['native', { SandboxEgress: expect.any(String) }],
  // With the SDK, a container's requests carry its class's name and outlive a deployment.
  ['sdk', { ContainerProxy: expect.any(String), TaskSandbox: 'TaskSandbox' }],
])(
  'exports for %s every class and entrypoint that the platform binds, by the names that must stay',
  async (kind, more) => {
    const names = await namesIn(kind);
    expect(Object.keys(names)).toEqual(expect.arrayContaining(everyKind));
    expect(names).toMatchObject(more);
  },
);
