import { describe, expect, it } from 'vitest';
import type { CommandRun } from './progress.ts';
import { testResult, testsRun, unwrappedCommand, type TestResult } from './test-commands.ts';

const hidden = 'unknown' as const;

describe('the result of the tests in a command', () => {
  it.each([
    'npm test',
    'npm run test',
    'npm run -s test:unit',
    'npm --prefix app test -- --run',
    'npm t',
    'pnpm -r test',
    'pnpm --filter web test',
    'yarn workspace web test',
    'yarn jest -i',
    'bun run vitest',
    'npx vitest run',
    'npx --yes vitest@3 run',
    'npm exec -- vitest run',
    './node_modules/.bin/jest src',
    'node --test',
    'node --import x --test test/',
    'node node_modules/vitest/vitest.mjs run',
    'pytest -q',
    'python -m pytest',
    'python3 -W error -m unittest discover',
    'python manage.py test',
    'coverage run -m pytest',
    'python -m coverage run -m pytest',
    'uv run --with x pytest',
    'go test ./...',
    'go -C api test ./...',
    'cargo test',
    'cargo +nightly test --workspace',
    'cargo nextest run',
    './gradlew :app:test',
    'mvn -q verify',
    'make test',
    'make -j 4 -C app check',
    'bundle exec rspec',
    'bin/rails test:system',
    'dotnet test',
    'php artisan test',
    'php vendor/bin/phpunit',
    'composer run test',
    'nx run web:test',
    'CI=1 FOO="a b" npm test',
    'env -u X CI=1 npm test',
    'time -p npm test',
    'timeout -k 5 60 npm test',
    'exec npm test',
    'command npm test',
    'cd app && npm test',
    'cd app &&\n  npm ci && npm test',
    'cd app; npm test',
    'echo a; npm test # the last command',
    'source .venv/bin/activate && pytest',
    "set -e\nprintf 'npm run x\\n'\nnpm test\n",
    'npm test > log 2>&1',
    'npm test &> log',
    'npm test -- "$(ls)" <<< x',
    'npm test < <(yes)',
    'cat <<EOF > a.txt\nit; is | not & run\nEOF\nnpm test',
    'cat <<-EOF\n\tx\n\tEOF\nnpm test',
    'cat << EOF\nEOF\nnpm test',
    'npm \\\n  test',
    'npm "te"\'st\'',
    "npm test -- -t $'it\\'s; a'",
    'npm test -- -t "a; \\"b\\" `ls` \\x $ \\\n c"',
    'npm test -- ${X}',
    "/bin/bash -lc 'npm test'",
    'bash -lc "cd app && go test ./..."',
    "bash -euo pipefail -c 'npm test'",
    'bash -lc \'bash -c "npm test"\'',
    'npm test && echo passed',
    'npm test || exit 1',
    'npm test || false',
    'npm test; exit $?',
    'npm test; exit',
    'npm run test:unit && npm run test:e2e',
    '[ -d app ] && npm test',
  ])('is the exit status of %j', (command) => {
    expect(testResult(command, 0)).toBe('passed');
    expect(testResult(command, 1)).toBe('failed');
  });

  it.each([
    'npm test 2>&1 | tail -5',
    'npm test |& tail',
    'npm test |\n tail',
    'set -o pipefail; npm test | tail',
    'cat x | npm test',
    'npm test; echo EXIT=$?',
    'npm test\necho done',
    'npm test; code=$?; echo $code; exit $code',
    'npm test; exit 0x',
    'npm test &',
    'npm test & wait $!',
    '(npm test)',
    '(cd app && npm test) > log',
    '((npm test))',
    'echo "$(npm test)"',
    'echo "a `npm test` b"',
    'echo `npm test`',
    'out=$(npm test 2>&1)',
    'echo $(echo ")" \\) \'(\'; (npm test))',
    'cat <(npm test)',
    'cat > $(npm test)',
    'bash <<EOF\nnpm test\nEOF',
    '! npm test',
    '{ npm test; }',
    'if npm test; then echo yes; fi',
    'for x in a b; do npm test; done',
    'npm() { true; }; npm test',
    'npm test )',
    'npm test; && x',
    'eval true; npm test',
    "trap 'exit 0' EXIT; npm test",
    'exec true; npm test',
    "bash -lc 'npm test | tail'",
    "bash -lc 'exec true; npm test'",
    "bash -lc 'npm test; echo x'",
    "bash -lc 'if npm test; then x; fi'",
    'npm test "',
    "npm test '",
    'npm test $(',
    "npm test $(echo '",
    'npm test `',
    'npm test >',
    'npm test << EOF',
    'npm test << EOF\nx',
    'npm test && cat long/path…',
  ])('is not known from the exit status of %j', (command) => {
    expect(testResult(command, 0)).toBe(hidden);
    expect(testResult(command, 1)).toBe(hidden);
  });

  it.each<[string, TestResult | null, TestResult | null]>([
    ['npm test || true', hidden, hidden],
    ['npm test || npm run fix', hidden, 'failed'],
    ['npm run lint || npm test', hidden, 'failed'],
    ['npm test && npm run lint', 'passed', hidden],
    ['npm test && npm run lint || exit 2', 'passed', hidden],
    ['npm run test:unit; npm run test:e2e', hidden, 'failed'],
    ['npm test | tail; npm test', hidden, hidden],
    ['npm test; exit 0', hidden, hidden],
    ['npm test; exit 3', hidden, hidden],
    ["bash -c 'exit 0'; npm test", 'passed', 'failed'],
    ['true || npm test', null, null],
    ['false && npm test', null, null],
    ['exit 0; npm test', null, null],
    ['exit 0; npm test | tail', null, null],
  ])('depends on the exit status of %j', (command, succeeded, failed) => {
    expect(testResult(command, 0)).toBe(succeeded);
    expect(testResult(command, 1)).toBe(failed);
  });

  it.each([
    'grep -rn "npm test" . ; echo npm test',
    'echo npm test',
    "echo '$(npm test)'",
    'echo "\\$(npm test)"',
    'echo \\; npm test',
    'echo a\\;npm test',
    "bash -lc 'echo npm test'",
    'cat <<EOF\nnpm test\nEOF',
    "python - <<'PY'\nnpm test\nPY",
    'rg pytest-cov',
    'rg -n pytest | head',
    'which vitest',
    'command -v vitest',
    'git commit -m "npm test"',
    '# npm test',
    'ls test # npm test',
    'cat package.json',
    'npm install',
    'npm run build',
    'npm run testify',
    'npm run',
    'npm --help test',
    'pytest --version',
    'pytest --collect-only -q',
    'cargo test --no-run',
    'go test -c ./...',
    'make -n test',
    'mvn verify -DskipTests',
    './gradlew build -x test',
    'vitest bench',
    'make',
    'node split.test-data.js --test',
    'node app/vitest.js',
    'python -c "import pytest"',
    'python',
    'python setup.py build',
    'coverage run -m http.server',
    'bundle install',
    'timeout 60',
    'A=1',
    'bash',
    'bash script.sh',
    'bash -c',
    '',
    '"',
    '((((((((((((((((((((((((((((((',
    '$(echo "',
    'if',
  ])('is missing from %j, which runs none', (command) => {
    expect(testResult(command, 0)).toBeNull();
    expect(testResult(command, 1)).toBeNull();
  });

  it('stops at scripts that are nested deeper than anybody writes', () => {
    const nested = (depth: number): string => (depth === 0 ? 'npm test' : `echo $(${nested(depth - 1)})`);
    expect(testResult(nested(4), 0)).toBe(hidden);
    expect(testResult(nested(200), 0)).toBeNull();
    expect(testResult('('.repeat(500), 0)).toBeNull();
    const wrapped = (depth: number): string =>
      depth === 0 ? 'npm test' : `bash -c ${JSON.stringify(wrapped(depth - 1))}`;
    expect(testResult(wrapped(4), 0)).toBe('passed');
    expect(testResult(wrapped(7), 0)).toBeNull();
  });

  it.each(['npm test; ', 'a && ', 'x | ', '`', '<<a\n', '"$(', '( ', '\\'])(
    'reads 500 characters of %j',
    (part) => {
      const command = part.repeat(500 / part.length);
      expect(['passed', 'failed', 'unknown', null]).toContain(testResult(command, 0));
    },
  );
});

describe('a command as people see it', () => {
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
    expect(testsRun(runs)).toEqual({
      kind: 'last',
      run: runs[1],
      exitCode: 0,
      result: 'passed',
      count: 2,
      failedBefore: true,
    });
  });
  it('has a result of its own, whatever earlier runs had', () => {
    const runs = [run('npm test', 0), run('npm test | tail', 0)];
    expect(testsRun(runs)).toMatchObject({ run: runs[1], result: 'unknown', count: 2 });
  });
  it('is missing when no test command ran', () => {
    expect(testsRun([run('ls', 0), run('npm test', null)])).toEqual({ kind: 'none' });
    expect(testsRun([])).toEqual({ kind: 'none' });
  });
});
