/** The images that this checkout can build, by the name that the configuration of a repository gives them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../host/project-root.ts';

/** The image for the sandbox SDK; its first process is the SDK's server. */
export const sdkImage = 'sdk';

const folder = 'container/images';
const ending = '.Dockerfile';

/** Names to paths in the checkout. */
export function dockerfiles(): ReadonlyMap<string, string> {
  const names = readdirSync(join(projectRoot, folder)).filter((name) => name.endsWith(ending));
  return new Map([
    [sdkImage, 'container/Dockerfile'],
    ...names.map((name) => [name.slice(0, -ending.length), `${folder}/${name}`] as const),
  ]);
}
