/**
 * What Airlock asks of a GitHub App: permissions and events, and what does not work without those that came
 * later. docs/setup.md, “Register a GitHub App”, names the same. No more than these: a stolen key would have
 * each of them.
 */
import { fail, ok, warn, type Verdict } from './check.ts';

interface Permission {
  readonly level: 'read' | 'write';
  /** What does not work without it; null: nothing works. */
  readonly without: string | null;
}
export const permissionNeeds: Readonly<Record<string, Permission>> = {
  contents: { level: 'write', without: null },
  issues: { level: 'write', without: null },
  metadata: { level: 'read', without: null },
  pull_requests: { level: 'write', without: null },
  checks: { level: 'read', without: '“fix the checks” sees no check runs' },
  statuses: { level: 'read', without: '“fix the checks” sees no commit statuses' },
  actions: { level: 'read', without: '“fix the checks” sees no logs of jobs' },
};

/** What an App can have besides, and what it is for. */
const optionalNeeds: Readonly<
  Record<string, { readonly level: 'read' | 'write'; readonly without: string }>
> = {
  checks: { level: 'write', without: 'no receipt as a check run' },
  packages: { level: 'read', without: 'setup cannot read GitHub Packages with a token of the App' },
  members: { level: 'read', without: 'no review is requested from the teams in `reviewers`' },
};

interface Event {
  /** As on the App's page. */
  readonly title: string;
  readonly without: string | null;
}
export const eventNeeds: Readonly<Record<string, Event>> = {
  issue_comment: { title: 'Issue comment', without: null },
  issues: { title: 'Issues', without: null },
  pull_request: { title: 'Pull request', without: 'the label on a pull request starts nothing' },
  pull_request_review: { title: 'Pull request review', without: 'a mention in a review starts nothing' },
  pull_request_review_comment: {
    title: 'Pull request review comment',
    without: 'a mention in a line comment starts nothing',
  },
};

const rank: Readonly<Record<string, number>> = { read: 1, write: 2, admin: 3 };

const reaches = (granted: string | undefined, level: string): boolean =>
  (rank[granted ?? ''] ?? 0) >= (rank[level] ?? 0);

export interface Lacking {
  /** `name: level`, or an event's name. */
  readonly name: string;
  readonly without: string | null;
}

export function lackingPermissions(granted: Readonly<Record<string, string>>): Lacking[] {
  return Object.entries(permissionNeeds).flatMap(([name, { level, without }]) =>
    reaches(granted[name], level) ? [] : [{ name: `${name}: ${level}`, without }],
  );
}

/** What the App asks for although it is optional, and an account has not accepted. */
export function lackingOptional(
  app: Readonly<Record<string, string>>,
  granted: Readonly<Record<string, string>>,
): Lacking[] {
  return Object.entries(optionalNeeds).flatMap(([name, { level, without }]) =>
    !reaches(app[name], level) || reaches(granted[name], level)
      ? []
      : [{ name: `${name}: ${level}`, without }],
  );
}

/** Fails if nothing works without one of them, warns if a part does not work; null if none is lacking. */
export function judgeLacking(what: string, lacking: readonly Lacking[], remedy: string): Verdict | null {
  if (lacking.length === 0) return null;
  const vital = lacking.filter(({ without }) => without === null);
  if (vital.length > 0) return fail(`${what} ${vital.map(({ name }) => name).join(', ')}`, remedy);
  const parts = lacking.map(({ name, without }) => `${name} (${without})`);
  return warn(`${what} ${parts.join(', ')}; all else works`, remedy);
}

/** `used`: optional ones that the configuration makes use of. */
export function judgePermissions(
  { permissions }: { readonly permissions: Readonly<Record<string, string>> },
  used: Readonly<Record<string, string>>,
): Verdict {
  const lacks = judgeLacking(
    'the App lacks',
    [...lackingPermissions(permissions), ...lackingOptional(used, permissions)],
    'Add them on the App’s page under Permissions & events, then accept them where it is installed.',
  );
  if (lacks !== null) return lacks;
  const most = (name: string): string => optionalNeeds[name]?.level ?? permissionNeeds[name]?.level ?? '';
  const extra = Object.entries(permissions).filter(
    ([name, level]) => (rank[level] ?? 3) > (rank[most(name)] ?? 0),
  );
  if (extra.length > 0)
    return warn(
      `the App has more than it needs: ${extra.map(([name, level]) => `${name}: ${level}`).join(', ')}`,
      'Take them away on the App’s page: a stolen key could use them.',
    );
  return ok('exactly those that are needed');
}

/** GitHub subscribes an App to these by itself if it may write checks. */
const checkEvents = ['check_run', 'check_suite'];

export function judgeEvents({ events }: { events: readonly string[] }): Verdict {
  const missing = Object.entries(eventNeeds).filter(([event]) => !events.includes(event));
  const titles = missing.map(([, { title }]) => `“${title}”`).join(' and ');
  const lacks = judgeLacking(
    'the App is not subscribed to',
    missing.map(([name, { without }]) => ({ name, without })),
    `Tick ${titles} on the App’s page under Permissions & events.`,
  );
  if (lacks !== null) return lacks;
  const extra = events.filter((event) => ![...Object.keys(eventNeeds), ...checkEvents].includes(event));
  if (extra.length > 0)
    return warn(
      `the App is subscribed to events that Airlock ignores: ${extra.join(', ')}`,
      'Untick them: they send repository content that nobody uses.',
    );
  return ok('exactly those that are needed');
}
