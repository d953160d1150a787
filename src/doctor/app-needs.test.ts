import { describe, expect, it } from 'vitest';
import { judgePermissions } from './app-needs.ts';

const teams = { members: 'read' };
const needed = {
  contents: 'write',
  issues: 'write',
  metadata: 'read',
  pull_requests: 'write',
  checks: 'read',
  statuses: 'read',
  actions: 'read',
};

describe('judgePermissions', () => {
  it.each<[Record<string, string>, Record<string, string>, string, string]>([
    [{}, {}, 'ok', 'exactly those that are needed'],
    [{ checks: 'write', members: 'read' }, {}, 'ok', 'exactly those that are needed'],
    [{ members: 'read' }, teams, 'ok', 'exactly those that are needed'],
    [
      {},
      teams,
      'warn',
      'the App lacks members: read (no review is requested from the teams in `reviewers`); all else works',
    ],
    [{ members: 'write' }, teams, 'warn', 'the App has more than it needs: members: write'],
    [
      { checks: 'write' },
      { packages: 'read' },
      'warn',
      'the App lacks packages: read (setup cannot read GitHub Packages with a token of the App); all else works',
    ],
    [{ packages: 'read' }, { packages: 'read' }, 'ok', 'exactly those that are needed'],
    [{ issues: 'read' }, teams, 'fail', 'the App lacks issues: write'],
  ])('of an App with %j, of which the configuration uses %j, is %s', (more, used, status, found) => {
    const verdict = judgePermissions({ permissions: { ...needed, ...more } }, used);
    expect(verdict).toMatchObject({ status, found });
  });
});
