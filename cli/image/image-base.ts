/** The image that `container/Dockerfile` begins with: whether its digest stands there, and putting it there. Pure. */

export interface ImageBase {
  /** `docker.io/cloudflare/sandbox:0.12.10`. */
  readonly image: string;
  /** `sha256:` and 64 hex digits; null: whatever the registry has under the tag at the time of the build. */
  readonly digest: string | null;
}

const fromLine = /^FROM[ \t]+([^\s@]+)(?:@(sha256:[0-9a-f]{64}))?[ \t]*$/m;

/** null when the first `FROM` is not one image by its name. */
export function imageBase(dockerfile: string): ImageBase | null {
  const [, image, digest] = fromLine.exec(dockerfile) ?? [];
  return image === undefined ? null : { image, digest: digest ?? null };
}

/** The Dockerfile with that digest behind the name; null when either cannot be. */
export function pinned(dockerfile: string, digest: string): string | null {
  const base = imageBase(dockerfile);
  if (base === null || !/^sha256:[0-9a-f]{64}$/.test(digest)) return null;
  return dockerfile.replace(fromLine, `FROM ${base.image}@${digest}`);
}
