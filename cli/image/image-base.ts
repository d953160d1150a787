/** Reads and pins the base image of `container/Dockerfile`. Pure. */

export interface ImageBase {
  /** `docker.io/cloudflare/sandbox:0.12.10`. */
  readonly image: string;
  /** `sha256:` and 64 hex digits; null if only the tag decides. */
  readonly digest: string | null;
}

const fromLine = /^FROM[ \t]+([^\s@]+)(?:@(sha256:[0-9a-f]{64}))?[ \t]*$/m;

/** Returns the base image; null if no `FROM` line names an image without a stage name. */
export function imageBase(dockerfile: string): ImageBase | null {
  const [, image, digest] = fromLine.exec(dockerfile) ?? [];
  return image === undefined ? null : { image, digest: digest ?? null };
}

/** Returns the Dockerfile with this digest; null if the digest or the `FROM` line is not valid. */
export function pinned(dockerfile: string, digest: string): string | null {
  const base = imageBase(dockerfile);
  if (base === null || !/^sha256:[0-9a-f]{64}$/.test(digest)) return null;
  return dockerfile.replace(fromLine, `FROM ${base.image}@${digest}`);
}
