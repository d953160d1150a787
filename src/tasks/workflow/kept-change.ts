/** Reads a kept change and compares it with its base, once, so that later attempts judge the same. */
import { measureSchema, type MeasuredChange } from '../../core/change-set.ts';
import type { Authorization } from '../../core/authorization.ts';
import { keptChange } from '../run-names.ts';
import type { TaskDeps } from './stage.ts';

const keptMeasure = 'measure.json';

export async function readKeptChange(
  { baseSha, facts }: Authorization,
  { record, publication }: TaskDeps,
): Promise<{ lines: string; change: MeasuredChange }> {
  const lines = (await record.kept(keptChange)) ?? '';
  const parsed = publication.parseChange(lines, baseSha);
  if (!parsed.ok) throw new Error(`the kept change does not parse: ${parsed.reason.code}`);
  const kept = await record.kept(keptMeasure);
  if (kept !== null)
    return { lines, change: { ...parsed.change, measure: measureSchema.parse(JSON.parse(kept)) } };
  const taskId = (await record.snapshot())?.request.taskId ?? '';
  const measure = await publication.measure(facts, taskId, parsed.change);
  await record.keep(keptMeasure, JSON.stringify(measure));
  return { lines, change: { ...parsed.change, measure } };
}

/** A checkout that is not whole looks like a change that deletes the rest. */
export function removalRemarks({ files, measure: { baseFiles } }: MeasuredChange): string[] {
  const removed = files.filter(({ type }) => type === 'deletion').length;
  return baseFiles === null || removed * 2 <= baseFiles
    ? []
    : [`The change removes ${removed} of the ${baseFiles} files of the base commit.`];
}
