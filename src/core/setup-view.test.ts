import { expect, it } from 'vitest';
import { setupLine, setupView, type SetupView } from './setup-view.ts';

const policy = { run: 'npm ci', hosts: [], registries: [], optional: true, services: false };
const report = {
  command: 'npm ci',
  status: 'ok' as const,
  exitCode: 0,
  durationMs: 12_345,
  fromCache: false,
  services: false,
  cacheRefused: null,
  restored: { paths: [], total: 0 },
  pathsLeftBySetup: { paths: [], total: 0 },
};
const over = {
  status: 'ok',
  exitCode: 0,
  durationMs: 12_345,
  fromCache: false,
  cacheRefused: null,
  optional: true,
} as const;

it.each<[string, ReturnType<typeof setupView>, SetupView | null]>([
  ['none where none is configured', setupView(null, null), { status: 'none' }],
  ['not known as long as it runs', setupView(policy, null), null],
  ['how it ended, without its command and its paths', setupView(policy, report), over],
])('a view has %s', (_, view, expected) => {
  expect(view).toEqual(expected);
});

it.each<[SetupView | null, string]>([
  [null, ''],
  [{ status: 'none' }, ''],
  [over, 'Dependencies were installed in 12 s'],
  [{ ...over, fromCache: true }, 'Dependencies were installed in 12 s, starting from the cache'],
  [
    { ...over, status: 'failed', exitCode: 3 },
    '⚠️ Dependencies may be missing: setup ended with exit status 3 after 12 s',
  ],
  [
    { ...over, status: 'timed-out', exitCode: null },
    '⚠️ Dependencies may be missing: setup was stopped at its time limit after 12 s',
  ],
  [
    { ...over, cacheRefused: '`x` is a device' },
    'Dependencies were installed in 12 s\n⚠️ The setup cache entry was refused: `x` is a device. It is not used.',
  ],
  // The task's own end says this.
  [{ ...over, status: 'failed', exitCode: 3, optional: false }, ''],
])('%j is said as %j', (view, line) => {
  expect(setupLine(view)).toBe(line);
});
