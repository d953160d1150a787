/** What continuous integration reports on a commit. Sends no webhook. */
import type { NewCheckRun, NewCommitStatus } from './contract.ts';
import { reportsOf } from './commit-reports.ts';
import { actionsApp } from './documents/check-document.ts';
import type { Site } from './site.ts';
import { timestamp } from './store.ts';
import { requireRepository } from './user-actions.ts';

export function addCheckRun(site: Site, wanted: NewCheckRun): { id: number } {
  const { sha, check: name, conclusion, app = actionsApp, output, steps = [], log = null } = wanted;
  const id = site.store.nextId();
  reportsOf(requireRepository(site, wanted)).checks.push({
    id,
    suite: site.store.nextId(),
    sha,
    name,
    app,
    conclusion,
    at: timestamp(),
    output: { title: output?.title ?? null, summary: output?.summary ?? null, text: output?.text ?? null },
    steps,
    log,
  });
  return { id };
}

export function addCommitStatus(site: Site, wanted: NewCommitStatus): { id: number } {
  const { sha, context, state, description = null } = wanted;
  const id = site.store.nextId();
  reportsOf(requireRepository(site, wanted)).statuses.push({
    id,
    sha,
    context,
    state,
    description,
    at: timestamp(),
  });
  return { id };
}
