/** Reads a kept change and compares it with its base, once, so that later attempts judge the same. */
import { measureSchema, type MeasuredChange } from '../../core/change-set.ts';
import type { Authorization } from '../../core/authorization.ts';
import type { RoutedRequest } from '../../core/task.ts';
import { mergeKept } from './kept-merge.ts';
import { keptChange } from '../run-names.ts';
import type { TaskDeps } from './stage.ts';

/** The task whose change a Workflow instance kept that was lost later; null if no change is kept. */
export async function begunBefore({
  record,
}: Pick<TaskDeps, 'record'>): Promise<{ request: RoutedRequest; authorization: Authorization } | null> {
  if ((await record.kept(keptChange)) === null) return null;
  const snapshot = await record.snapshot();
  if (snapshot?.routed == null || snapshot.authorization === null) return null;
  return { request: snapshot.routed, authorization: snapshot.authorization };
}

const keptMeasure = 'measure.json';

export async function readKeptChange(
  { baseSha, facts }: Authorization,
  { record, publication }: TaskDeps,
): Promise<{ lines: string; change: MeasuredChange }> {
  const lines = (await record.kept(keptChange)) ?? '';
  const merge = (await mergeKept(record))?.merge ?? null;
  const parsed = publication.parseChange(lines, merge?.tree ?? baseSha);
  if (!parsed.ok) throw new Error(`the kept change does not parse: ${parsed.reason.code}`);
  const change = merge === null ? parsed.change : { ...parsed.change, merge };
  const kept = await record.kept(keptMeasure);
  if (kept !== null) return { lines, change: { ...change, measure: measureSchema.parse(JSON.parse(kept)) } };
  const taskId = (await record.snapshot())?.request.taskId ?? '';
  const measure = await publication.measure(facts, taskId, parsed.change, merge);
  await record.keep(keptMeasure, JSON.stringify(measure));
  return { lines, change: { ...change, measure } };
}

/** What a reviewer of a merge looks at. The names are untrusted, and escaped when they are rendered. */
export async function mergeRemarks(
  { files, measure: { merge } }: MeasuredChange,
  { record }: Pick<TaskDeps, 'record'>,
): Promise<string[]> {
  const begun = await mergeKept(record);
  if (begun === null || merge === undefined) return [];
  const { paths, more } = begun.conflicts;
  const without = merge.withoutConflict.filter((path) => !paths.includes(path));
  // Git writes no marker into a binary file or a link: its head's version stays unless Codex replaces it.
  const changed = new Set(files.map(({ path }) => path));
  const kept = paths.filter((path) => !changed.has(path));
  return [
    `The merge had conflicts in ${listed(paths, more)}.`,
    ...(kept.length === 0
      ? []
      : [`Of these the merge has the head's version, without the base's change: ${listed(kept, 0)}.`]),
    ...(without.length === 0
      ? []
      : [`Only one side changed these, and the merge has another version: ${listed(without, 0)}.`]),
  ];
}

function listed(paths: readonly string[], more: number): string {
  const rest = more + Math.max(0, paths.length - 10);
  const names = paths.slice(0, 10).map((path) => path.slice(0, 200));
  return [...names, ...(rest > 0 ? [`${rest} more`] : [])].join(', ');
}
