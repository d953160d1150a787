/** Finds the repository's tests among the commands that Codex ran. Decides nothing about what they prove. */
import type { CommandRun } from './progress.ts';

/** Names that only test; a command such as `make` alone is not one. */
const testCommand = new RegExp(
  `(?:^|[;&|(]\\s*|\\s)(?:${[
    '(?:npm|pnpm|yarn|bun)(?:\\s+run)?\\s+(?:-\\S+\\s+)*(?:t|tst|test)(?::[\\w-]+)?',
    '(?:npx|pnpm exec|bunx|yarn)\\s+(?:vitest|jest|mocha|ava|playwright test|tap)',
    '(?:vitest|jest|mocha|pytest|tox|nox|rspec|phpunit|ctest|nextest)',
    'node\\s+(?:\\S+\\s+)*--test',
    'python3?\\s+-m\\s+(?:pytest|unittest|nose2)',
    'python3?\\s+\\S*manage\\.py\\s+test',
    '(?:uv|poetry|pdm|hatch)\\s+run\\s+(?:pytest|tox|python3?\\s+-m\\s+(?:pytest|unittest))',
    'go\\s+test',
    'cargo\\s+(?:\\+\\S+\\s+)?(?:test|nextest)',
    '(?:\\./)?(?:mvnw?|gradlew?)\\s+(?:\\S+\\s+)*(?:test|check|verify)',
    'make\\s+(?:-\\S+\\s+)*(?:test|tests|check)',
    '(?:rake|rails|mix|dotnet|swift|deno|sbt|dart|flutter|bazel|zig build|just)\\s+(?:test|spec)',
    'bundle exec\\s+(?:rspec|rake test|rails test)',
    'composer\\s+(?:run\\s+)?test',
  ].join('|')})(?=$|[\\s;&|)])`,
);

/** Removes the shell that Codex wraps around a command: `/bin/bash -lc 'npm test'` becomes `npm test`. */
export function unwrappedCommand(command: string): string {
  const wrapped = /^(?:\S*\/)?(?:ba|z|da)?sh\s+-l?c\s+([\s\S]+)$/.exec(command.trim());
  const inner = wrapped?.[1]?.trim();
  if (inner === undefined) return command.trim();
  const quoted = /^'([\s\S]*)'$/.exec(inner) ?? /^"([\s\S]*)"$/.exec(inner);
  return (quoted?.[1] ?? inner).replaceAll(`'\\''`, "'").trim();
}

export function isTestCommand(command: string): boolean {
  return testCommand.test(unwrappedCommand(command).slice(0, 2000));
}

export type TestsRun =
  | { readonly kind: 'none' }
  | { readonly kind: 'last'; readonly run: CommandRun; readonly count: number };

/** Returns the last finished test run, because it saw the change that is published. */
export function testsRun(commands: readonly CommandRun[]): TestsRun {
  const runs = commands.filter((run) => run.exitCode !== null && isTestCommand(run.command));
  const run = runs.at(-1);
  return run === undefined ? { kind: 'none' } : { kind: 'last', run, count: runs.length };
}
