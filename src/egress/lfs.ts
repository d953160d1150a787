/**
 * Decides what an LFS batch request may say, and rewrites its answer: in place of GitHub's signed URLs the
 * sandbox gets ours. Protocol: https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md
 */
import * as z from 'zod';
import type { GrantedRepository } from '../core/grant.ts';
import { readJson } from './json-text.ts';
import { egressLimits } from './limits.ts';
import { deny, type Denial } from './verdict.ts';

const oid = z.string().regex(/^[0-9a-f]{64}$/);
const size = z.number().int().nonnegative();
const batchRequest = z.object({
  operation: z.string(),
  transfers: z.array(z.string()).optional(),
  hash_algo: z.literal('sha256').optional(),
  objects: z.array(z.object({ oid, size })).max(egressLimits.lfsBatchObjects),
});

const batchAnswer = z.object({
  objects: z.array(
    z.object({
      oid,
      size,
      actions: z
        .object({
          download: z
            .object({ href: z.string(), header: z.record(z.string(), z.string()).optional() })
            .optional(),
        })
        .optional(),
      error: z.object({ code: z.number().int(), message: z.string() }).optional(),
    }),
  ),
});
export type LfsAnswer = z.infer<typeof batchAnswer>;

export type LfsVerdict = { readonly kind: 'allow'; readonly body: string } | Denial;

export function decideLfsBatch(bytes: Uint8Array): LfsVerdict {
  const json = readJson(bytes);
  if (json.kind === 'problem') return deny('github.lfs-body', 'the LFS batch is not plain JSON');
  const parsed = batchRequest.safeParse(json.value);
  if (!parsed.success) return deny('github.lfs-body', 'the LFS batch is not one that git-lfs sends');
  if (parsed.data.operation !== 'download')
    return deny('github.lfs-upload', 'of Git LFS only downloads are allowed');
  return { kind: 'allow', body: batchOf(parsed.data.objects) };
}

/** Builds the request to GitHub from the objects alone; everything else the sandbox wrote is dropped. */
export function batchOf(objects: readonly { readonly oid: string; readonly size: number }[]): string {
  return JSON.stringify({ operation: 'download', transfers: ['basic'], hash_algo: 'sha256', objects });
}

/** Parses GitHub's answer to a batch; null for anything else. */
export function readLfsAnswer(bytes: Uint8Array): LfsAnswer | null {
  const json = readJson(bytes);
  if (json.kind === 'problem') return null;
  const parsed = batchAnswer.safeParse(json.value);
  return parsed.success ? parsed.data : null;
}

/** Rewrites the answer for the sandbox: every URL is ours. */
export function ownLfsAnswer(answer: LfsAnswer, { owner, name }: GrantedRepository): string {
  const address = `https://github.com/${owner}/${name}.git/info/lfs/objects`;
  return JSON.stringify({
    transfer: 'basic',
    hash_algo: 'sha256',
    objects: answer.objects.map(({ oid, size, actions, error }) => {
      if (actions?.download !== undefined)
        return {
          oid,
          size,
          authenticated: true,
          actions: { download: { href: `${address}/${oid}/${size}` } },
        };
      return { oid, size, error: error ?? { code: 404, message: 'Object does not exist' } };
    }),
  });
}

/** The URL and headers of one object; null when GitHub does not have it, or offers it without TLS. */
export function lfsObjectOf(
  answer: LfsAnswer,
  wanted: string,
  githubUrl: string,
): { readonly url: string; readonly header: Readonly<Record<string, string>> } | null {
  const download = answer.objects.find(({ oid }) => oid === wanted)?.actions?.download;
  const url = download === undefined ? null : URL.parse(download.href);
  if (download === undefined || url === null || url.username !== '' || url.password !== '') return null;
  // Without TLS only where GitHub itself is reached without it: a simulator.
  if (url.protocol !== 'https:' && url.origin !== URL.parse(githubUrl)?.origin) return null;
  return { url: url.href, header: download.header ?? {} };
}
