import { describe, expect, it } from 'vitest';
import { describeSetup } from './prompt-setup.ts';
import type { SetupReport } from '../setup.ts';

const ok: SetupReport = {
  command: 'npm ci\n  --no-audit',
  status: 'ok',
  exitCode: 0,
  durationMs: 1,
  fromCache: false,
  services: false,
  cacheRefused: null,
  restored: { paths: [], total: 0 },
  pathsLeftBySetup: { paths: [], total: 0 },
};

describe('the prompt’s section about setup', () => {
  it.each<[string, SetupReport | null, string]>([
    ['none', null, 'No setup is configured'],
    ['success', ok, '`npm ci --no-audit` was run before you started and succeeded.'],
    ['success', ok, 'its hosts are closed now'],
    [
      'failure',
      { ...ok, status: 'failed', exitCode: 1 },
      'ended with exit status 1. Dependencies may be missing',
    ],
    ['a time limit', { ...ok, status: 'timed-out', exitCode: null }, 'did not end in its time'],
    ['services', { ...ok, services: true }, 'What it left running, such as a database, still runs.'],
    ['new files', { ...ok, pathsLeftBySetup: { paths: ['x'], total: 1 } }, 'are not part of your change'],
  ])('describes %s', (_, setup, part) => {
    expect(describeSetup(setup)).toContain(part);
  });
});
