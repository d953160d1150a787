/**
 * Defines the shape of `sandbox`: the machine of a repository's tasks. Only checks how values are written:
 * the deployment knows its images, and `host/sandbox/toolchains.ts` looks at folders.
 */
import * as z from 'zod';
import { instanceTypes, type SandboxPolicy } from '../core/policy.ts';

/** A digest, because a tag can be moved. The platform takes images of the account's registry alone. */
const imagePattern =
  /^(?:[a-z][a-z0-9-]{0,62}|registry\.cloudflare\.com\/[0-9a-f]{32}(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+@sha256:[0-9a-f]{64})$/;

/** Absolute or below the home folder, without `.`, `..`, empty names and control characters. */
const folderPattern = /^~?(?:\/(?!\.{1,2}(?:\/|$))[^/\p{C}\u2028\u2029]+)+$/u;

const sandboxSchema = z
  .strictObject({
    image: z
      .string()
      .regex(
        imagePattern,
        'the name of an image of wrangler.jsonc, such as "jvm", or "registry.cloudflare.com/<account>/<name>@sha256:<digest>"',
      )
      .optional()
      .meta({
        description:
          'On Cloudflare: the image of the sandbox, by its name in wrangler.jsonc or as a digest of the account\'s registry. Default: "base". One machine ignores it.',
      }),
    instance: z.enum(instanceTypes).optional().meta({
      description:
        'On Cloudflare: the instance type, which sets processor, memory and disk. Default "standard-1". One machine ignores it.',
    }),
    toolchains: z
      .array(
        z
          .string()
          .max(1000)
          .regex(folderPattern, 'an absolute path or one that begins with "~/", without "." and ".."'),
      )
      .max(20)
      .optional()
      .meta({
        description:
          'On one machine: folders that the sandbox sees as well, read-only, such as "/opt/go". The folder "bin" in each comes first in the PATH. Default: none. Cloudflare ignores it.',
      }),
  })
  .meta({ description: 'The machine on which setup and Codex run.' });

export const sandboxConfigSchema = sandboxSchema.optional();
export const sandboxKeys = Object.keys(sandboxSchema.shape);

type Written = z.infer<typeof sandboxSchema>;

/** Takes each value from the entry, then from `defaults`. */
export function sandboxPolicyOf(settings: Written = {}, defaults: Written = {}): SandboxPolicy {
  return {
    image: settings.image ?? defaults.image ?? null,
    instance: settings.instance ?? defaults.instance ?? null,
    toolchains: [...new Set(settings.toolchains ?? defaults.toolchains)],
  };
}
