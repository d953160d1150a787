/** Reads and pins the images that a Dockerfile starts from. Pure. */

export interface ImageBase {
  /** `docker.io/cloudflare/sandbox:0.12.10`. */
  readonly image: string;
  /** `sha256:` and 64 hex digits; null if only the tag decides. */
  readonly digest: string | null;
}

const fromLine = /^FROM[ \t]+([^\s@]+)(?:@(sha256:[0-9a-f]{64}))?([ \t]+AS[ \t]+\S+)?[ \t]*$/gm;

/** Returns the image of each stage; null if there is none, or a `FROM` line has another form. */
export function imageBases(dockerfile: string): readonly ImageBase[] | null {
  const bases = [...dockerfile.matchAll(fromLine)].map(([, image = '', digest]) => ({
    image,
    digest: digest ?? null,
  }));
  const stages = dockerfile.match(/^\s*FROM\b/gim)?.length ?? 0;
  return stages === 0 || bases.length !== stages ? null : bases;
}

/** Returns the Dockerfile with a digest for each image; null if one of them is missing or not valid. */
export function pinned(dockerfile: string, digests: ReadonlyMap<string, string>): string | null {
  const bases = imageBases(dockerfile);
  if (bases === null) return null;
  if (bases.some(({ image }) => !/^sha256:[0-9a-f]{64}$/.test(digests.get(image) ?? ''))) return null;
  return dockerfile.replaceAll(
    fromLine,
    (_, image: string, __, stage = '') => `FROM ${image}@${digests.get(image) ?? ''}${String(stage)}`,
  );
}
