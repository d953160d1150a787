/** Turns what fetching an attachment gave into an answer for people. */
import type { FileFetched } from '../../lib/fetch-file.ts';
import type { AttachmentAnswer } from '../attachment.ts';
import { tooLarge } from './judge.ts';

/** `service`: GitHub or Slack. */
export function answerOfFetch(fetched: FileFetched, service: string): AttachmentAnswer {
  switch (fetched.kind) {
    case 'bytes':
      return { kind: 'bytes', bytes: fetched.bytes };
    case 'status':
      return refused(`was not sent by ${service}, which answered with status ${fetched.status}`);
    case 'elsewhere':
      return refused(`is not on ${service}’s own hosts, and nothing is fetched from elsewhere`);
    case 'too-large':
      return refused(tooLarge);
    case 'unreachable':
      return refused(`was not sent by ${service} in time`);
  }
}

const refused = (why: string): AttachmentAnswer => ({ kind: 'refused', why });
