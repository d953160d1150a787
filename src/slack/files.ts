/** Fetches a file that somebody shared in Slack. Needs the scope `files:read`. */
import type { WebClient } from '@slack/web-api';
import * as z from 'zod';
import { attachmentLimits, type AttachmentAnswer } from '../core/attachment.ts';
import { answerOfFetch } from '../core/attachments/fetched.ts';
import { tooLarge } from '../core/attachments/judge.ts';
import { fetchFile, type FileFetched } from '../lib/fetch-file.ts';
import { slackCall, SlackRefusal, type SlackApi } from './web-api.ts';

/** https://docs.slack.dev/reference/objects/file-object */
const fileSchema = z.object({
  mode: z.string().nullish(),
  is_external: z.boolean().nullish(),
  size: z.number().nullish(),
  mimetype: z.string().nullish(),
  url_private: z.string().nullish(),
  url_private_download: z.string().nullish(),
});

const deadlineMs = 30_000;

/** The only host, besides the Web API's, that gets the bot's token. */
export function slackFilesOrigin(apiUrl: string): string {
  const { protocol, host, origin } = new URL(apiUrl);
  // A stand-in for Slack serves both.
  return /^(?:slack|slack-gov)\.com$/.test(host) ? `${protocol}//files.${host}` : origin;
}

/** Asks Slack for the file's present address. Rejects like `slackCall` on transient errors. */
export async function fetchSlackFile(
  fileId: string,
  deps: SlackApi & { readonly client: WebClient },
): Promise<AttachmentAnswer> {
  const origin = slackFilesOrigin(deps.apiUrl);
  const { file, refusal } = await readFile(fileId, deps.client);
  if (file === null) return refused(refusal);
  if (file.is_external === true || file.mode === 'external')
    return refused('is kept by another service, and nothing is fetched from elsewhere');
  if ((file.size ?? 0) > attachmentLimits.bytes) return refused(tooLarge);
  const address = file.url_private_download ?? file.url_private;
  if (address == null) return refused('has no address in Slack');
  const decide = async (url: URL) =>
    await Promise.resolve(
      url.origin === origin && url.username === '' && url.password === ''
        ? { authorization: `Bearer ${deps.botToken}` }
        : null,
    );
  const bounds = { maxBytes: attachmentLimits.bytes, deadlineMs };
  const fetched = await fetchFile(address, decide, deps.fetch, bounds);
  return isSignIn(fetched, file.mimetype ?? '', origin)
    ? refused(withoutScope)
    : answerOfFetch(fetched, 'Slack');
}

const refused = (why: string): AttachmentAnswer => ({ kind: 'refused', why });
const withoutScope =
  'is closed to the Slack app: add the scope files:read from slack-manifest.json and install the app again';

async function readFile(
  fileId: string,
  client: WebClient,
): Promise<{ readonly file: z.infer<typeof fileSchema> | null; readonly refusal: string }> {
  try {
    const answer = await slackCall('files.info', () => client.files.info({ file: fileId }));
    return { file: fileSchema.parse(answer.file), refusal: '' };
  } catch (error) {
    if (!(error instanceof SlackRefusal)) throw error;
    if (error.code === 'missing_scope') return { file: null, refusal: withoutScope };
    const isGone = error.code === 'file_deleted' || error.code === 'file_not_found';
    return { file: null, refusal: isGone ? 'was deleted in Slack' : `was refused by Slack (${error.code})` };
  }
}

/** Without the scope, Slack answers with its sign-in page or leads to it, instead of an error. */
function isSignIn(fetched: FileFetched, mimetype: string, origin: string): boolean {
  if (fetched.kind === 'elsewhere')
    return fetched.host.endsWith('.slack.com') && origin === 'https://files.slack.com';
  return fetched.kind === 'bytes' && /^text\/html\b/i.test(fetched.contentType) && !/html/i.test(mimetype);
}
