import { describe, expect, it } from 'vitest';
import { checkSandboxSupport, explain } from './support.ts';

describe('what stands in the way of sandboxes', () => {
  it.each([
    [
      'user/max_user_namespaces',
      '0',
      /user\.max_user_namespaces is 0/,
      /sysctl -w user\.max_user_namespaces/,
    ],
    [
      'kernel/unprivileged_userns_clone',
      '0',
      /unprivileged_userns_clone is 0/,
      /sysctl -w kernel\.unprivileged_userns_clone=1/,
    ],
    [
      'kernel/apparmor_restrict_unprivileged_userns',
      '1',
      /AppArmor/,
      /profile.*sysctl -w kernel\.apparmor_restrict/,
    ],
  ])('is named with the way out: %s = %s', (setting, value, problem, wayOut) => {
    const told = explain('bwrap: Permission denied', (path) => (path === setting ? value : null));
    expect(told.problem).toMatch(problem);
    expect(told.wayOut).toMatch(wayOut);
  });

  it('is quoted when it is none of these', () => {
    const told = explain('bwrap: No permissions to create new namespace', () => '1000');
    expect(told.problem).toContain('No permissions to create new namespace');
    expect(told.wayOut).toMatch(/container/);
  });

  it('is found by trying; here, what is enforced is told', async () => {
    const support = await checkSandboxSupport();
    expect(support.ok ? support.limits.disk : support.problem).toMatch(
      /file system size|namespaces|could not be started/,
    );
    expect(support.ok ? support.limits.cpu : 'none').toMatch(/^(control group|priority|none)$/);
  });
});
