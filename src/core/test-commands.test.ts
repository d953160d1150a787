import { describe, expect, it } from 'vitest';
import type { CommandRun } from './progress.ts';
import { isTestCommand, testsRun, unwrappedCommand } from './test-commands.ts';

describe('a command', () => {
  it.each([
    'npm test',
    'npm run test',
    'npm run -s test:unit',
    'pnpm test',
    'npx vitest run',
    'node --test',
    'node --import x --test test/',
    'pytest -q',
    'python -m pytest',
    'python3 -m unittest discover',
    'go test ./...',
    'cargo test',
    './gradlew test',
    'mvn -q verify',
    'make test',
    'make check',
    'bundle exec rspec',
    'cd app && npm test',
    'CI=1 npm test',
    "/bin/bash -lc 'npm test 2>&1 | tail'",
    'bash -c "go test ./..."',
    'dotnet test',
  ])('counts %j as a test run', (command) => {
    expect(isTestCommand(command)).toBe(true);
  });

  it.each([
    'ls test',
    'cat package.json',
    'npm install',
    'npm run build',
    'git commit -m "npm tests"',
    'make',
    'echo testing',
    'rg pytest-cov',
    'node split.test-data.js',
    'npm run testify',
  ])('does not count %j as a test run', (command) => {
    expect(isTestCommand(command)).toBe(false);
  });

  it('is shown without its shell', () => {
    expect(unwrappedCommand("/bin/bash -lc 'echo '\\''x'\\'''")).toBe("echo 'x'");
    expect(unwrappedCommand('ls -l')).toBe('ls -l');
  });
});

describe('the test run that is shown', () => {
  const run = (command: string, exitCode: number | null): CommandRun => ({
    command,
    exitCode,
    status: exitCode === null ? 'running' : 'completed',
    outputTail: '',
    startedAt: 0,
    durationMs: null,
  });

  it('is the last one that ended, because it saw the change that is published', () => {
    const runs = [run('npm test', 1), run('npm test', 0), run('ls', 0), run('npm test', null)];
    expect(testsRun(runs)).toEqual({ kind: 'last', run: runs[1], count: 2 });
  });
  it('is missing when no test command ran', () => {
    expect(testsRun([run('ls', 0), run('npm test', null)])).toEqual({ kind: 'none' });
    expect(testsRun([])).toEqual({ kind: 'none' });
  });
});
