/**
 * Finds the repository's tests among Codex's commands and what an exit status says about them. Parses: a
 * search would take `echo npm test` for a test run, and `npm test | tail` for one that passed.
 */
import type { CommandRun } from './progress.ts';
import { parseShell, type ShellNode, type ShellScript, type SimpleCommand } from './shell-script.ts';
import { innerCommand, runsTests } from './test-runners.ts';

/** Removes the shell that Codex wraps around a command: `/bin/bash -lc 'npm test'` becomes `npm test`. */
export function unwrappedCommand(command: string): string {
  const wrapped = /^(?:\S*\/)?(?:ba|z|da)?sh\s+-l?c\s+([\s\S]+)$/.exec(command.trim());
  const inner = wrapped?.[1]?.trim();
  if (inner === undefined) return command.trim();
  const quoted = /^'([\s\S]*)'$/.exec(inner) ?? /^"([\s\S]*)"$/.exec(inner);
  return (quoted?.[1] ?? inner).replaceAll(`'\\''`, "'").trim();
}

/** `unknown`: tests were run, but the command's exit status is not theirs. */
export type TestResult = 'passed' | 'failed' | 'unknown';

/** What is known at one point of a script that can be reached. */
interface State {
  /** Whether `$?` is 0. */
  readonly ok: boolean;
  /** Null: no tests so far. `failed` if any of them failed. */
  readonly tests: TestResult | null;
  /** After `exit`. */
  readonly ended: boolean;
}

/** Commands whose effect on the rest of a script is not modelled. */
const unpredictable = new Set(['eval', 'exec', 'trap', 'return', 'break', 'continue', 'kill']);
const alwaysSucceed = new Set(['true', ':', 'echo', 'printf']);
/** `codex/progress.ts` cuts commands and marks the cut. */
const cut = '…';
const maxNesting = 5;

/** What the exit status says about the tests, if all ways through the script that end with it agree. */
export function testResult(command: string, exitCode: number): TestResult | null {
  const script = parseShell(command);
  const followed = script.plain && isPredictable(script.node, 0) && !command.endsWith(cut);
  if (!followed) return hasTests(script.node, 0) ? 'unknown' : null;
  const ends = run(script.node, [{ ok: true, tests: null, ended: false }], 0);
  if (ends.every(({ tests }) => tests === null)) return null;
  const results = new Set(ends.filter(({ ok }) => ok === (exitCode === 0)).map(({ tests }) => tests));
  // A command in an `&&` chain before the tests may have failed instead of them.
  if (exitCode !== 0 && results.size > 1) results.delete(null);
  const [only = 'unknown'] = results;
  return results.size > 1 ? 'unknown' : only;
}

function run(node: ShellNode, states: readonly State[], nesting: number): readonly State[] {
  switch (node.kind) {
    case 'command':
      return distinct(states.flatMap((state) => (state.ended ? [state] : runCommand(node, state, nesting))));
    case 'list':
      return node.items.reduce((reached, item) => run(item, reached, nesting), states);
    case 'and':
    case 'or': {
      const left = run(node.left, states, nesting);
      const continues = ({ ok, ended }: State): boolean => !ended && ok === (node.kind === 'and');
      const right = run(node.right, left.filter(continues), nesting);
      return distinct([...left.filter((state) => !continues(state)), ...right]);
    }
    case 'pipeline':
    case 'subshell':
    case 'background': {
      const tests = hasTests(node, nesting) ? 'unknown' : null;
      return distinct(states.flatMap((state) => (state.ended ? [state] : either(withTests(state, tests)))));
    }
  }
}

function runCommand(command: SimpleCommand, before: State, nesting: number): readonly State[] {
  const words = innerCommand(command.words);
  const state = withTests(before, hidesTests(command, words, nesting) ? 'unknown' : null);
  const [program = '', argument] = words;
  if (program === '') return either(state);
  if (runsTests(words)) {
    return [
      { ...withTests(state, 'passed'), ok: true },
      { ...withTests(state, 'failed'), ok: false },
    ];
  }
  const inner = innerScript(words, nesting);
  if (inner !== null) {
    return run(inner.node, [{ ...state, ok: true }], nesting + 1).map((end) => ({ ...end, ended: false }));
  }
  if (program === 'exit') return exits(state, argument);
  if (alwaysSucceed.has(program)) return [{ ...state, ok: true }];
  return program === 'false' ? [{ ...state, ok: false }] : either(state);
}

function exits(state: State, status: string | undefined): readonly State[] {
  const ended = { ...state, ended: true };
  if (status === undefined || status === '$?') return [ended];
  return /^\d+$/.test(status) ? [{ ...ended, ok: Number(status) % 256 === 0 }] : either(ended);
}

const either = (state: State): readonly State[] => [
  { ...state, ok: true },
  { ...state, ok: false },
];

function withTests(state: State, tests: TestResult | null): State {
  if (tests === null || state.tests === null) return { ...state, tests: tests ?? state.tests };
  const both = [tests, state.tests];
  const worst = both.includes('unknown') ? 'unknown' : both.includes('failed') ? 'failed' : 'passed';
  return { ...state, tests: worst };
}

/** Keeps the number of states constant, however long the script is. */
function distinct(states: readonly State[]): readonly State[] {
  return [...new Map(states.map((state) => [`${state.ok} ${state.tests} ${state.ended}`, state])).values()];
}

/** The script of `bash -lc '…'`, in which Codex wraps its commands; null if the command is none. */
function innerScript(words: readonly string[], nesting: number): ShellScript | null {
  if (nesting >= maxNesting || !isShell(words)) return null;
  const option = words.findIndex((word, index) => index > 0 && /^-[a-z]*c$/.test(word));
  const text = option < 0 ? undefined : words[option + 1];
  return text === undefined ? null : parseShell(text);
}

const isShell = (words: readonly string[]): boolean => /^(?:.*\/)?(?:ba|z|da|k)?sh$/.test(words[0] ?? '');

/** Whether a command's substitutions, or the here-document that a shell reads, run tests. */
function hidesTests(command: SimpleCommand, words: readonly string[], nesting: number): boolean {
  const scripts = isShell(words) ? [...command.substituted, ...command.heredocs] : command.substituted;
  return nesting < maxNesting && scripts.some((text) => hasTests(parseShell(text).node, nesting + 1));
}

/** Whether a node runs tests anywhere, also where their exit status is lost. */
function hasTests(node: ShellNode, nesting: number): boolean {
  return commandsOf(node).some((command) => {
    const words = innerCommand(command.words);
    if (runsTests(words) || hidesTests(command, words, nesting)) return true;
    const inner = innerScript(words, nesting);
    return inner !== null && hasTests(inner.node, nesting + 1);
  });
}

function isPredictable(node: ShellNode, nesting: number): boolean {
  return commandsOf(node).every(({ words }) => {
    const inner = innerCommand(words);
    if (unpredictable.has(words[0] ?? '') && !runsTests(inner)) return false;
    const script = innerScript(inner, nesting);
    return script === null || (script.plain && isPredictable(script.node, nesting + 1));
  });
}

function commandsOf(node: ShellNode): readonly SimpleCommand[] {
  switch (node.kind) {
    case 'command':
      return [node];
    case 'and':
    case 'or':
      return [...commandsOf(node.left), ...commandsOf(node.right)];
    case 'pipeline':
      return node.parts.flatMap(commandsOf);
    case 'list':
      return node.items.flatMap(commandsOf);
    case 'subshell':
    case 'background':
      return commandsOf(node.body);
  }
}

export type TestsRun =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'last';
      readonly run: CommandRun;
      readonly exitCode: number;
      readonly result: TestResult;
      readonly count: number;
      /** Whether the same command passed now and failed earlier. */
      readonly failedBefore: boolean;
    };

/** Returns the last finished test run, because it saw the change that is published. */
export function testsRun(commands: readonly CommandRun[]): TestsRun {
  const runs = commands.flatMap((command) => {
    const { exitCode } = command;
    const result = exitCode === null ? null : testResult(command.command, exitCode);
    return exitCode === null || result === null ? [] : [{ run: command, exitCode, result }];
  });
  const last = runs.at(-1);
  if (last === undefined) return { kind: 'none' };
  const command = unwrappedCommand(last.run.command);
  const failedBefore =
    last.result === 'passed' &&
    runs.some(({ run, result }) => result === 'failed' && unwrappedCommand(run.command) === command);
  return { kind: 'last', ...last, count: runs.length, failedBefore };
}
