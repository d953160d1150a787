/** Names a call by its endpoint and purpose, without what differs from task to task. Pure. */
import type { Service } from '../../cli/demo/world.ts';

export type CalledService = Service | 'sandbox-host';

export interface Call {
  readonly service: CalledService;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** Empty if there is none. Read where the path alone does not say what is asked. */
  readonly body: string;
}

/** Parts of a path that differ from task to task, in the order in which they are replaced. */
const parts: readonly (readonly [RegExp, string])[] = [
  [/^\/api(?:\/v3)?(?=\/)/, ''],
  [/\?.*$/, ''],
  [/^\/repos\/[^/]+\/[^/]+/, ''],
  [/^\/repositories\/\d+/, ''],
  [/^\/[^/]+\/[^/]+?(?:\.git)?(?=\/(?:info|git-upload-pack))/, '/git'],
  [/^\/sandboxes\/[0-9a-f]{64}/, ''],
  [/\/(heads(?:%2F|\/)).*$/, '/heads/{branch}'],
  [/\/[0-9a-f]{40}(?=\/|$)/g, '/{sha}'],
  [/\/\d+(?=\/|$)/g, '/{number}'],
  [/^\/(?:commands|actions)\/.*$/, '/response-url'],
  [/(\/collaborators)\/[^/]+/, '$1/{login}'],
];

/** `github POST /git/refs`, `sandbox-host PUT file clone.json`. */
export function callName(call: Call): string {
  const path = parts.reduce((name, [part, by]) => name.replace(part, by), call.path);
  const name = `${call.method} ${path === '' ? '/' : path}`;
  return [call.service, name, purposeOf(call)].filter((word) => word !== '').join(' ');
}

function purposeOf({ service, path, body }: Call): string {
  if (service === 'sandbox-host') {
    const file = new URL(path, 'http://sandbox-host').searchParams.get('path');
    if (file !== null) return file.replace(/^.*\//, '').replace(/^rollout-.*$/, 'rollout');
    return /\/opt\/airlock\/([\w-]+)\.js/.exec(body)?.[1] ?? '';
  }
  if (path.endsWith('/access_tokens')) {
    const permissions = [...body.matchAll(/"(\w+)":"(read|write)"/g)].map(
      ([, what, level]) => `${what}:${level}`,
    );
    return permissions.toSorted().join(',');
  }
  return '';
}
