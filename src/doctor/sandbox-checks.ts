/** Judges the probe's sandbox: that it boots, is sealed, and holds the programs of this version. */
import type { ProbeFinding, SandboxProbe } from '../core/sandbox-probe.ts';
import { durationText } from '../core/task-words.ts';
import { codexVersion } from '../version.ts';
import { fail, ok, once, skip, warn, type Check, type Verdict } from './check.ts';

/** Milliseconds. A container of a new image may have to be pulled first. */
export const sandboxDeadlineMs = 120_000;
/** The version of Node that the scripts in the sandbox are written for. */
const leastNodeMajor = 22;

/** Null when there is no room for a sandbox now; rejects with a sentence when there can be none. */
export type ProbeSandbox = () => Promise<SandboxProbe | null>;

/** `blockedBy`: what has to be fixed before a sandbox can be started at all. */
export function sandboxChecks(probe: ProbeSandbox, blockedBy: string | null = null): Check[] {
  const probing = once(async () => {
    try {
      const seen = await probe();
      return seen === null ? { seen: null, why: null } : { seen, why: null };
    } catch (error) {
      return { seen: null, why: error instanceof Error ? error.message : 'unknown error' };
    }
  });
  const check = (id: string, judge: (seen: SandboxProbe) => Verdict): Check => ({
    id,
    deadlineMs: sandboxDeadlineMs,
    late: skip('sandbox.boot first'),
    run: async () => {
      if (blockedBy !== null) return skip('sandbox.boot first');
      const { seen } = await probing();
      return seen === null ? skip('sandbox.boot first') : judge(seen);
    },
  });
  const inSealed = (id: string, judge: (seen: SandboxProbe) => Verdict): Check =>
    check(id, (seen) =>
      seen.unsealed.length + seen.unanswered.length > 0 ? skip('sandbox.canary first') : judge(seen),
    );
  return [
    {
      id: 'sandbox.boot',
      deadlineMs: sandboxDeadlineMs,
      // A busy machine is not a wrong set-up.
      late: warn(
        `no sandbox was ready within ${durationText(sandboxDeadlineMs)}`,
        'Ask again when the machine is less busy. A task waits longer.',
      ),
      run: async () => {
        if (blockedBy !== null) return skip(`${blockedBy} first`);
        const { seen, why } = await probing();
        if (seen !== null) return ok(`in ${durationText(seen.bootMs)}`);
        if (why === null) return warn('all sandboxes are in use', 'Ask again when a task has ended.');
        return fail(
          why.slice(0, 500),
          'See “User namespaces” in docs/setup.md; on Cloudflare the log of the container.',
        );
      },
    },
    check('sandbox.canary', ({ unsealed, unanswered }) => {
      if (unsealed.length > 0)
        return fail(
          `not sealed: ${listed(unsealed)}`,
          'Run no tasks. Each would stop here too; docs/operations.md, “canary.failed”.',
        );
      if (unanswered.length > 0)
        return warn(
          `could not be checked, no answer in time: ${listed(unanswered)}`,
          'Ask again when the machine is less busy. A task waits longer, and starts nothing before the check has passed.',
        );
      return ok('sealed: every forbidden request from inside was refused');
    }),
    inSealed('sandbox.platform', ({ platform }) => {
      const open = platform.filter((finding) => finding.open);
      if (open.length === 0) return ok(listed(platform));
      return warn(
        `${listed(open)}; all: ${listed(platform)}`,
        'Expected with a local Docker engine only (docs/security.md, “A local Docker engine”). On Cloudflare run no tasks, and report it.',
      );
    }),
    inSealed('sandbox.codex', ({ codexVersion: found }) =>
      found === codexVersion
        ? ok(`${found}, as pinned`)
        : fail(
            found === null
              ? 'Codex does not run in the sandbox'
              : `Codex ${found}, and ${codexVersion} is pinned`,
            'Build the image again from this checkout; on one machine run npm ci.',
          ),
    ),
    inSealed('sandbox.node', ({ nodeVersion: found }) =>
      found !== null && Number(found.split('.')[0]) >= leastNodeMajor
        ? ok(found)
        : fail(
            found === null ? 'Node does not run in the sandbox' : `Node ${found} is too old`,
            `The image needs Node ${leastNodeMajor} or newer at /opt/node/bin/node.`,
          ),
    ),
  ];
}

function listed(findings: readonly ProbeFinding[]): string {
  return findings.map(({ name, got }) => `${name} (got ${got.slice(0, 80)})`).join('; ');
}
