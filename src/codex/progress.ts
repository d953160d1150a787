/** Folds a run's events into its progress, bounded. Capped, not escaped. Success is Codex's claim. */
import { sandboxPaths } from '../core/checkout.ts';
import type { CommandRun, Notable, Progress, TurnEnd } from '../core/progress.ts';
import type { RemarkReport } from '../core/remark.ts';
import { parseLine, type CodexItem, type CodexLine, type DriverLine } from './event.ts';
import { unwrapShell } from './shell-command.ts';
import { firstOf, lastOf } from '../core/ask/untrusted-text.ts';
import { withoutSecrets } from '../core/secrets/find-secrets.ts';
import { parseJson } from '../lib/parse-json.ts';

const maxCommands = 100;
const maxChangedFiles = 200;
const maxPlanItems = 50;
const maxStepCharacters = 300;
const maxCommandCharacters = 500;
const maxOutputTailCharacters = 2_000;
const maxMessageCharacters = 4_000;
/** Leaves room for the JSON around title and summary, which a cut would break. */
const maxFinalMessageCharacters = 20_000;
const maxPathCharacters = 500;
const maxErrorCharacters = 1_000;
const maxIdCharacters = 100;

export const initialProgress: Progress = {
  threadId: null,
  plan: [],
  commands: [],
  commandsTotal: 0,
  changedFiles: [],
  message: null,
  finalMessage: null,
  turn: null,
  lastError: null,
  resumed: null,
  rolloutPath: null,
  unknownEvents: 0,
};

interface Folded {
  readonly progress: Progress;
  readonly notable: readonly (Notable | RemarkReport)[];
}

const silently = (progress: Progress): Folded => ({ progress, notable: [] });

/** Folds one line. `now` (milliseconds since the epoch) is used for a line without a time. */
export function fold(progress: Progress, untrustedLine: string, now: number): Folded {
  const { at, line } = parseLine(untrustedLine);
  return foldLine(progress, line, at ?? now);
}

function foldLine(progress: Progress, line: CodexLine, at: number): Folded {
  switch (line.kind) {
    case 'plan': {
      const plan = line.plan
        .slice(0, maxPlanItems)
        .map(({ step, status }) => ({ step: firstOf(step, maxStepCharacters), status }));
      return { progress: { ...progress, plan }, notable: [{ kind: 'plan', plan }] };
    }
    case 'item.started':
      return line.item.type === 'commandExecution'
        ? commandStarted(progress, line.item, at)
        : silently(progress);
    case 'item.completed':
      return itemCompleted(progress, line.item, at);
    case 'output':
      return silently({ ...progress, commands: withOutput(progress.commands, line.itemId, line.delta) });
    case 'turn.completed':
      return turnEnded(progress, line.turn.status, line.turn.error?.message ?? null);
    case 'error': {
      const text = errorText(line.message);
      return {
        progress: { ...progress, lastError: text },
        notable: [{ kind: 'error', text, willRetry: line.willRetry }],
      };
    }
    case 'thread':
      return silently(withThread(progress, line.threadId));
    case 'driver':
      return driverSaid(progress, line.driver);
    case 'unread':
      return silently(progress);
    case 'unknown':
    case 'malformed':
    default:
      return silently({ ...progress, unknownEvents: progress.unknownEvents + 1 });
  }
}

type CommandItem = Extract<CodexItem, { type: 'commandExecution' }>;

const idOf = (item: { readonly id: string }): string => item.id.slice(0, maxIdCharacters);
const commandOf = (item: CommandItem): string =>
  firstOf(unwrapShell(item.command, 4 * maxCommandCharacters), maxCommandCharacters);

function commandStarted(progress: Progress, item: CommandItem, at: number): Folded {
  const command = commandOf(item);
  const run: CommandRun = {
    id: idOf(item),
    command,
    exitCode: null,
    status: 'running',
    outputTail: '',
    startedAt: at,
    durationMs: null,
  };
  return {
    progress: {
      ...progress,
      commands: [...progress.commands, run].slice(-maxCommands),
      commandsTotal: progress.commandsTotal + 1,
    },
    notable: [{ kind: 'command.started', command }],
  };
}

function withOutput(commands: readonly CommandRun[], itemId: string, delta: string): readonly CommandRun[] {
  const index = commands.findLastIndex((run) => run.id === itemId && run.status === 'running');
  const run = commands[index];
  if (run === undefined) return commands;
  // A secret can come in two parts.
  const whole = withoutSecrets(run.outputTail + delta.slice(-4 * maxOutputTailCharacters));
  const outputTail = lastOf(whole, maxOutputTailCharacters);
  return commands.with(index, { ...run, outputTail });
}

function commandCompleted(progress: Progress, item: CommandItem, at: number): Folded {
  const index = progress.commands.findLastIndex((run) => run.id === idOf(item));
  const begun = progress.commands[index];
  const whole = item.aggregatedOutput ?? null;
  const output = whole === null ? begun?.outputTail : lastOf(whole, maxOutputTailCharacters);
  // A declined or killed command has no exit code. Use -1, which Codex itself reports for a killed one.
  const exitCode = item.exitCode ?? -1;
  const run = {
    id: idOf(item),
    command: commandOf(item),
    exitCode,
    status: item.status === 'completed' && exitCode === 0 ? ('completed' as const) : ('failed' as const),
    outputTail: (output ?? '').trimEnd(),
    startedAt: begun?.startedAt ?? at,
    // 0 means that the command ended before Codex first looked (seen with 0.169.0).
    durationMs: item.durationMs === 0 ? null : (item.durationMs ?? null),
    endedAt: at,
  };
  const { command, outputTail, durationMs } = run;
  const notable: Notable = { kind: 'command.finished', command, exitCode, outputTail, durationMs };
  if (begun !== undefined) {
    return { progress: { ...progress, commands: progress.commands.with(index, run) }, notable: [notable] };
  }
  // The cap dropped its start from the list, or the line of its start was lost.
  const counted = progress.commandsTotal > progress.commands.length;
  const missed = counted
    ? progress
    : {
        ...progress,
        commands: [...progress.commands, run].slice(-maxCommands),
        commandsTotal: progress.commandsTotal + 1,
      };
  return { progress: missed, notable: [notable] };
}

const repositoryPrefix = `${sandboxPaths.repository}/`;
const shownPath = (path: string): string =>
  firstOf(path.startsWith(repositoryPrefix) ? path.slice(repositoryPrefix.length) : path, maxPathCharacters);

function itemCompleted(progress: Progress, item: CodexItem, at: number): Folded {
  if (item.type === 'commandExecution') return commandCompleted(progress, item, at);
  if (item.type === 'agentMessage') return messageCompleted(progress, item.text, item.phase ?? null);
  if (item.status !== 'completed' || item.changes.length === 0) return silently(progress);
  const paths = [
    ...new Set(
      item.changes
        .slice(0, maxChangedFiles)
        .flatMap(({ path, kind }) =>
          kind.type === 'update' && kind.move_path ? [path, kind.move_path] : [path],
        )
        .map(shownPath),
    ),
  ];
  const earlier = progress.changedFiles.filter((path) => !paths.includes(path));
  return {
    progress: { ...progress, changedFiles: [...earlier, ...paths].slice(-maxChangedFiles) },
    notable: [{ kind: 'files.changed', paths }],
  };
}

function messageCompleted(progress: Progress, untrusted: string, phase: string | null): Folded {
  const text = firstOf(untrusted, maxMessageCharacters);
  if (text === '') return silently(progress);
  const notable: readonly Notable[] = [{ kind: 'message', text }];
  if (phase === 'final_answer') {
    return silently({ ...progress, finalMessage: firstOf(untrusted, maxFinalMessageCharacters) });
  }
  if (phase !== null) return { progress: { ...progress, message: text }, notable };
  // Without a phase, a message is the answer until another one follows. JSON is not a message for people.
  const earlier =
    progress.finalMessage === null ? progress.message : firstOf(progress.finalMessage, maxMessageCharacters);
  return {
    progress: { ...progress, message: earlier, finalMessage: firstOf(untrusted, maxFinalMessageCharacters) },
    notable: /^(?:```\w*\s*)?\{/.test(text) ? [] : notable,
  };
}

/** Extracts the text of an OpenAI error body, which arrives as JSON in the message. */
function errorText(untrusted: string): string {
  const message = /"message"\s*:\s*("(?:[^"\\]|\\.){1,4000}")/.exec(untrusted.slice(0, 8_000))?.[1];
  const inside =
    message !== undefined && untrusted.trimStart().startsWith('{') ? parseJson(message) : undefined;
  return inWords(firstOf(typeof inside === 'string' ? inside : untrusted, maxErrorCharacters));
}

/** The end of an answer that the model service cut off, as Codex reports it. */
const incomplete = /Incomplete response returned, reason: (\w{1,40})/;
const incompleteWords: Readonly<Record<string, string>> = {
  max_output_tokens: 'The model’s answer reached the limit of output tokens. Ask for less at once.',
  content_filter: 'OpenAI’s content filter stopped the model’s answer. Ask in other words.',
};

function inWords(error: string): string {
  const reason = incomplete.exec(error)?.[1];
  if (reason === undefined) return error;
  return Object.hasOwn(incompleteWords, reason) ? `${incompleteWords[reason]} (${reason})` : error;
}

const noReason = 'Codex gave no reason';

function turnEnded(progress: Progress, status: string, message: string | null): Folded {
  const failure = message === null ? (progress.lastError ?? noReason) : errorText(message);
  const turn: TurnEnd =
    status === 'completed' || status === 'interrupted' ? { status } : { status: 'failed', message: failure };
  return silently({
    ...progress,
    turn,
    lastError: message === null ? progress.lastError : failure,
    // A command that did not report its end was killed with the turn.
    commands: progress.commands.map((run) =>
      run.status === 'running' ? { ...run, status: 'failed' as const, exitCode: -1 } : run,
    ),
  });
}

const threadIdPattern = /^[0-9a-f-]{8,64}$/i;
const withThread = (progress: Progress, threadId: string): Progress =>
  threadIdPattern.test(threadId) ? { ...progress, threadId } : progress;

/** Only plain characters, as in Codex's own names, because Airlock later reads this path in the sandbox. */
const rolloutPattern = /^\/(?!.*\/\.\.\/)[\w./-]{1,400}\/rollout-[\w.-]{1,120}\.jsonl$/;

function driverSaid(progress: Progress, line: DriverLine): Folded {
  switch (line.kind) {
    case 'thread': {
      const resumed = line.resumed === true ? 'yes' : (line.why ?? null);
      const { threadId } = withThread(progress, line.threadId);
      return {
        progress: { ...progress, threadId, resumed },
        notable: threadId === null ? [] : [{ kind: 'thread', threadId, resumed }],
      };
    }
    case 'rollout':
      return silently(rolloutPattern.test(line.path) ? { ...progress, rolloutPath: line.path } : progress);
    case 'error': {
      const stderr = line.stderrTail ? `: ${lastOf(line.stderrTail, 500).trim()}` : '';
      const text = firstOf(`${line.message}${stderr}`, maxErrorCharacters);
      const failed: Progress = { ...progress, lastError: text };
      return {
        progress: line.fatal ? { ...failed, turn: { status: 'failed', message: text } } : failed,
        notable: [{ kind: 'error', text, willRetry: false }],
      };
    }
    case 'remark':
      return line.state === 'taken'
        ? silently(progress)
        : { progress, notable: [{ kind: 'remark', id: line.id, reached: line.state === 'reached' }] };
    case 'exit':
      // Codex's own report counts. The driver's is for a turn whose end Codex did not report before it died.
      return progress.turn === null ? turnEnded(progress, line.status, null) : silently(progress);
    case 'ready':
    case 'turn':
    default:
      return silently(progress);
  }
}
