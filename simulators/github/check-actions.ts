/** What is reported on a commit, which sends no webhook, and the buttons of a check run, which send one. */
import type {
  CheckButton,
  CheckRunView,
  Delivery,
  NewCheckRun,
  NewCommitStatus,
  RepositoryName,
} from './contract.ts';
import { reportsOf } from './commit-reports.ts';
import { actionsApp } from './documents/check-document.ts';
import { sendEvent } from './events.ts';
import type { Site } from './site.ts';
import { timestamp } from './store.ts';
import { requireDelivery, requireRepository } from './user-actions.ts';

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
    externalId: '',
    actions: [],
  });
  return { id };
}

export function checkRunsOf(site: Site, of: RepositoryName & { sha: string }): readonly CheckRunView[] {
  const runs = reportsOf(requireRepository(site, of)).checks.filter(({ sha }) => sha === of.sha);
  return runs.map(({ id, name, app, conclusion, output, externalId, actions }) => {
    return { id, name, app, conclusion, output, externalId, actions };
  });
}

/** Presses a button of a check run, which GitHub shows until the run is updated without it. */
export async function pressCheckButton(site: Site, pressed: CheckButton): Promise<{ delivery: Delivery }> {
  const repository = requireRepository(site, pressed);
  const run = reportsOf(repository).checks.find(({ id }) => id === pressed.run);
  if (run === undefined) throw new Error(`no check run ${pressed.run}`);
  const { identifier } = pressed;
  const event = { kind: 'check_run.requested_action', run, identifier } as const;
  const delivery = await sendEvent(site, repository, site.store.user(pressed.actor), event);
  return { delivery: requireDelivery(delivery) };
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
