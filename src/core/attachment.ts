/**
 * What people attach to the words of a request and its conversation: where it is, and what became of it.
 * References hold no signed address and no credential, because the results of steps are stored.
 */
import * as z from 'zod';
import { headOf } from '../lib/cut-text.ts';

/** The text on GitHub that something is attached to. */
const githubPlaceSchema = z.strictObject({
  kind: z.enum(['issue', 'issue_comment', 'review_comment', 'review']),
  /** Of an issue or a pull request the number, of anything else the id. */
  id: z.number().int().positive(),
  /** The pull request of a review. */
  pull: z.number().int().positive().optional(),
});
export type GithubPlace = z.infer<typeof githubPlaceSchema>;

export const attachmentRefSchema = z.discriminatedUnion('source', [
  z.strictObject({
    source: z.literal('github'),
    place: githubPlaceSchema,
    /** The address as displayed, without its query, in which GitHub puts a signature. Untrusted. */
    address: z.string().max(2_000),
    name: z.string().max(200),
    /** Who wrote the text. */
    by: z.string().max(100),
    /** Attached to the request itself. */
    own: z.boolean(),
  }),
  z.strictObject({
    source: z.literal('slack'),
    fileId: z.string().regex(/^F[A-Z0-9]{1,30}$/),
    name: z.string().max(200),
    by: z.string().max(100),
    own: z.boolean(),
  }),
]);
export type AttachmentRef = z.infer<typeof attachmentRefSchema>;

/** What came for a reference. `why` is the end of a sentence for people that begins with the name. */
export type AttachmentAnswer =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'refused'; readonly why: string };

/** Limits of what is handed over, by the issue and by what one request to the model can carry. */
export const attachmentLimits = {
  files: 10,
  /** Bytes of one file. */
  bytes: 5 * 1024 * 1024,
  /**
   * Bytes of all images together, as Codex sends them: each request of a turn repeats them in base64, and
   * egress refuses a body of more than 16 MiB.
   */
  imageBytes: 8 * 1024 * 1024,
  /** Pixels of one image. Codex needs about 14 bytes of memory for each. */
  pixels: 40_000_000,
  /** Characters of one text in the prompt, and of all of them. The file itself is in the sandbox. */
  textChars: 20_000,
  allTextChars: 60_000,
} as const;

/** Where the Worker writes them, outside the clone. The names are ours, never the uploader's. */
export const attachmentFolder = '/run/airlock/attachments';

/** The name on one line, for people and inside marks. */
export function shownName(untrusted: string): string {
  const line = untrusted.replace(/[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\s]+/gu, ' ').trim();
  const kept = headOf(line, 80);
  return kept === '' ? 'a file without a name' : kept === line ? line : `${kept}…`;
}
