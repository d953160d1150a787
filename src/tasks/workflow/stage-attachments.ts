/**
 * Hands over what people attached: fetches each file, judges its bytes and writes it into the sandbox. After
 * setup, whose programs could change it. A file that cannot be had never fails the task: it is named.
 */
import {
  attachmentFolder,
  attachmentLimits,
  type AttachmentAnswer,
  type AttachmentRef,
} from '../../core/attachment.ts';
import {
  excerpt,
  leftOutText,
  type HandedFile,
  type HandedOver,
  type LeftFile,
} from '../../core/attachments/describe.ts';
import { judgeAttachment } from '../../core/attachments/judge.ts';
import type { Authorization } from '../../core/authorization.ts';
import type { RoutedRequest } from '../../core/task.ts';
import { withDeadline } from '../../lib/with-deadline.ts';
import { taskLimits } from '../limits.ts';
import { unlessLost } from './stage-sandbox.ts';
import type { Stage, TaskDeps } from './stage.ts';

export const nothingAttached: HandedOver = { files: [], left: [] };

/** `refs`: in the order in which a person reads them, without duplicates. */
export async function handAttachmentsOver(
  refs: readonly AttachmentRef[],
  request: RoutedRequest,
  authorization: Authorization,
  deps: TaskDeps,
): Promise<Stage<HandedOver>> {
  return await unlessLost(async () => {
    const files: HandedFile[] = [];
    const left: LeftFile[] = [];
    let imageBytesLeft: number = attachmentLimits.imageBytes;
    let charsLeft: number = attachmentLimits.allTextChars;
    const lastStart = deps.now() + taskLimits.attachmentsMs;
    // One after the other, because several of them would not fit into the Worker's memory.
    for (const [index, ref] of refs.entries()) {
      const { name, by, own } = ref;
      if (files.length === attachmentLimits.files) {
        left.push({ name, why: `is beyond the limit of ${attachmentLimits.files} files` });
        continue;
      }
      if (deps.now() > lastStart) {
        left.push({ name, why: 'was not fetched, because the others took too long' });
        continue;
      }
      const answer = await fetched(ref, request, authorization, deps);
      if (answer.kind === 'refused') {
        left.push({ name, why: answer.why });
        continue;
      }
      const judged = judgeAttachment(answer.bytes, imageBytesLeft);
      if (judged.kind === 'refused') {
        left.push({ name, why: judged.why });
        continue;
      }
      const extension = judged.kind === 'image' ? judged.image.format : 'txt';
      // By its place among all: an overlapping attempt writes the same file there.
      const path = `${attachmentFolder}/${index + 1}.${extension}`;
      await deps.sandbox.writeFile(path, answer.bytes);
      const text = judged.kind === 'text' ? excerpt(judged.text, charsLeft) : '';
      if (judged.kind === 'image') imageBytesLeft -= judged.image.sentBytes;
      charsLeft -= text.length;
      files.push({ kind: judged.kind, path, name, by, own, text });
    }
    const note = leftOutText(left);
    if (note !== '') {
      await deps.record.appendToLog({ kind: 'note', text: note });
      await deps.record.learn({ attachmentsLeft: note });
    }
    deps.log('attachments.handed_over', { taskId: request.taskId, files: files.length, left: left.length });
    return { go: true, value: { files, left } };
  });
}

async function fetched(
  ref: AttachmentRef,
  request: RoutedRequest,
  { facts }: Authorization,
  { codeHost, chat, log }: TaskDeps,
): Promise<AttachmentAnswer> {
  const unreachable = { kind: 'refused', why: 'could not be fetched' } as const;
  try {
    const answer = ref.source === 'github' ? codeHost.attachment(facts, request, ref) : chat?.attachment(ref);
    if (answer === undefined) return unreachable;
    return await withDeadline(answer, taskLimits.attachmentMs, 'fetching an attachment');
  } catch (error) {
    log('attachment.failed', { taskId: request.taskId, error: String(error) });
    return unreachable;
  }
}
