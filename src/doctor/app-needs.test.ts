import { describe, expect, it } from 'vitest';
import { judgePermissions } from './app-needs.ts';

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
  it.each<[Record<string, string>, boolean, string, string]>([
    [{}, false, 'ok', 'exactly those that are needed'],
    [{ checks: 'write', members: 'read' }, false, 'ok', 'exactly those that are needed'],
    [{ members: 'read' }, true, 'ok', 'exactly those that are needed'],
    [
      {},
      true,
      'warn',
      'the App lacks members: read (no review is requested from the teams in `reviewers`); all else works',
    ],
    [{ members: 'write' }, true, 'warn', 'the App has more than it needs: members: write'],
    [{ issues: 'read' }, true, 'fail', 'the App lacks issues: write'],
  ])('of an App with %j, with teams as reviewers: %s, is %s', (more, teams, status, found) => {
    const verdict = judgePermissions({ permissions: { ...needed, ...more } }, teams);
    expect(verdict).toMatchObject({ status, found });
  });
});
