import { describe, expect, it } from 'vitest';
import { allChecks, choose } from './checks.ts';

const paths: Readonly<Record<string, string>> = {
  'src/egress': '/airlock/src/egress/',
  lint: '/airlock/lint',
};
const chosen = (...args: string[]) => choose(args, (argument) => paths[argument] ?? null);

describe('the arguments of npm test', () => {
  it('run every check but the browser when there are none', () => {
    expect(chosen()).toEqual({ kind: 'run', checks: allChecks });
    expect(allChecks.map(({ name }) => name)).not.toContain('browser');
  });

  it.each([
    [['unit'], ['unit']],
    [['browser'], ['browser']],
    [
      ['lint', 'flows'],
      ['flows', 'lint'],
    ],
    [
      ['lint', 'src/egress'],
      ['lint', 'tests'],
    ],
  ])('%j run the checks %j', (args, names) => {
    const choice = chosen(...args);
    expect(choice.kind === 'run' && choice.checks.map(({ name }) => name)).toEqual(names);
  });

  it('hand a folder to vitest without naming a project', () => {
    expect(chosen('src/egress')).toEqual({
      kind: 'run',
      checks: [{ name: 'tests', argv: ['vitest', 'run', '/airlock/src/egress/'], kind: 'tests' }],
    });
  });

  it.each([[['--help']], [['-h', 'unit']], [['unit', '--help']]])('%j print the help', (args) => {
    expect(chosen(...args)).toEqual({ kind: 'help' });
  });

  it('refuse what is neither a check nor a path', () => {
    expect(chosen('unit', 'src/nowhere')).toEqual({ kind: 'unknown', argument: 'src/nowhere' });
  });
});
