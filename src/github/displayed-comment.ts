/** Reads texts as GitHub displays them, or lets GitHub render the text of then if it has changed since. */
import * as z from 'zod';
import type { Displayed } from '../core/ask/mention.ts';
import type { RepositoryRef } from '../core/task.ts';
import type { GithubClient } from './client.ts';
import { displayedAttachments, type DisplayedAttachment } from './displayed-attachments.ts';
import { displayedText } from './displayed-text.ts';
import { quoteReferenced } from './referenced-words.ts';
import type { ReadHtml } from './html-events.ts';

/** Answers have `body`, the Markdown, and `body_html`. */
export const withBodyHtml = { accept: 'application/vnd.github.full+json' } as const;

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
/** Parts of a comment or an issue. Both texts are untrusted. */
export const bodySchema = z.object({ body: text, body_html: text });

/** A text as people see it, and what they see attached to it. */
export interface DisplayedBody extends Displayed {
  readonly attachments: readonly DisplayedAttachment[];
}

export interface HtmlReader {
  readonly readHtml: ReadHtml;
  /** Where GitHub's pages are, without a slash at the end. */
  readonly webUrl: string;
}

export interface Renderer extends HtmlReader {
  readonly client: GithubClient;
  readonly repository: RepositoryRef;
}

/** The delivered text as displayed. `present`: what it is now, null if gone; GitHub renders an old one. */
export async function displayDelivered(
  delivered: string,
  present: z.infer<typeof bodySchema> | null,
  { client, repository, ...reader }: Renderer,
): Promise<DisplayedBody> {
  if (delivered.trim() === '') return { text: '', addressable: '', attachments: [] };
  if (present?.body === delivered) return await displayPresent(present, reader);
  const { data } = await client.request('POST /markdown', {
    text: delivered,
    mode: 'gfm',
    context: `${repository.owner}/${repository.name}`,
  });
  return await displayPresent({ body: delivered, body_html: z.string().parse(data) }, reader);
}

export async function displayPresent(
  { body, body_html: html }: z.infer<typeof bodySchema>,
  { readHtml, webUrl }: HtmlReader,
): Promise<DisplayedBody> {
  const events = await readHtml(html);
  const attachments = displayedAttachments(events, webUrl);
  return { ...quoteReferenced(displayedText(events), body), attachments };
}
