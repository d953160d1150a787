/** Reads the environment of the image from `container/Dockerfile`, for the programs of a fake container. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../host/project-root.ts';

export function imageEnvironment(): Readonly<Record<string, string>> {
  const text = readFileSync(join(projectRoot, 'container/Dockerfile'), 'utf8').replaceAll('\\\n', ' ');
  const pairs = [...text.matchAll(/^ENV (.+)$/gm)].flatMap(([, words = '']) => words.trim().split(/\s+/));
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
