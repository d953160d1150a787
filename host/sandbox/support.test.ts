import { describe, expect, it } from 'vitest';
import { checkSandboxSupport, explain } from './support.ts';

describe('explain', () => {
  it.each([
    ['user/max_user_namespaces', '0', /max_user_namespaces is 0/, /sysctl -w user\.max_user_namespaces/],
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
  ])('names the cause and the remedy when %s is %s', (setting, value, problem, remedy) => {
    const diagnosis = explain('bwrap: Permission denied', (path) => (path === setting ? value : null));
    expect(diagnosis.problem).toMatch(problem);
    expect(diagnosis.remedy).toMatch(remedy);
  });

  it('quotes an unknown problem', () => {
    const diagnosis = explain('bwrap: No permissions to create new namespace', () => '1000');
    expect(diagnosis.problem).toContain('No permissions to create new namespace');
    expect(diagnosis.remedy).toMatch(/container/);
  });
});

describe('checkSandboxSupport', () => {
  it('reports the enforced limits or the problem of this machine', async () => {
    const support = await checkSandboxSupport();
    expect(support.ok ? support.limits.disk : support.problem).toMatch(
      /file system size|namespaces|could not be started/,
    );
    expect(support.ok ? support.limits.cpu : '').toMatch(/^(control group|priority)$/);
  });
});
