/**
 * Converts a scripted answer to output items. Older models get top-level `tools` (`exec_command`,
 * `apply_patch`); newer ones an item `additional_tools` and one tool `exec`, whose input is JavaScript that
 * awaits `tools.exec_command(…)`.
 */
import type { Answer, ToolMove } from './script.ts';

export type OutputItem =
  | {
      readonly type: 'message';
      readonly id: string;
      readonly role: 'assistant';
      readonly status: 'completed';
      readonly phase: 'commentary' | 'final_answer';
      readonly content: readonly [
        {
          readonly type: 'output_text';
          readonly text: string;
          readonly annotations: readonly [];
          readonly logprobs: readonly [];
        },
      ];
    }
  | {
      readonly type: 'function_call';
      readonly id: string;
      readonly call_id: string;
      readonly name: string;
      readonly arguments: string;
      readonly status: 'completed';
    }
  | {
      readonly type: 'custom_tool_call';
      readonly id: string;
      readonly call_id: string;
      readonly name: string;
      readonly input: string;
      readonly status: 'completed';
    }
  | { readonly type: 'compaction'; readonly id: string; readonly encrypted_content: string };

/** Makes a unique id such as `msg_0f…`. */
export type NewId = (prefix: string) => string;

/**
 * Codex returns control to the model after 30 s of a command at most (says its description of the tool). An
 * empty write to the command's session waits up to 300 s more.
 */
const commandYieldMs = 30_000;
const sessionYieldMs = 300_000;
/** A script of Codex's `exec` may wait for hours. */
const scriptYieldMs = 6 * 3_600_000;

const message = (newId: NewId, text: string, phase: 'commentary' | 'final_answer'): OutputItem => ({
  type: 'message',
  id: newId('msg'),
  role: 'assistant',
  status: 'completed',
  phase,
  content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
});

const functionCall = (newId: NewId, name: string, args: unknown): OutputItem => ({
  type: 'function_call',
  id: newId('fc'),
  call_id: newId('call'),
  name,
  arguments: JSON.stringify(args),
  status: 'completed',
});

const customCall = (newId: NewId, name: string, input: string): OutputItem => ({
  type: 'custom_tool_call',
  id: newId('ctc'),
  call_id: newId('call'),
  name,
  input,
  status: 'completed',
});

/** The name and argument of the tool that performs a move. */
function toolOf(move: ToolMove): { name: string; argument: unknown } {
  if (move.move === 'plan') return { name: 'update_plan', argument: { plan: move.plan } };
  if (move.move === 'shell') {
    return { name: 'exec_command', argument: { cmd: move.command, yield_time_ms: commandYieldMs } };
  }
  return { name: 'apply_patch', argument: move.patch };
}

/** Waits for the end of a command. At top level, where nothing waits, a script goes on after 30 s. */
const programOf = (name: string, argument: string): string =>
  name !== 'exec_command'
    ? `text(await tools.${name}(${argument}));`
    : `let done = await tools.exec_command(${argument});
let output = done.output;
while (done.session_id !== undefined) {
  done = await tools.write_stdin({ session_id: done.session_id, yield_time_ms: ${sessionYieldMs} });
  output += done.output;
}
text({ ...done, output });`;

function toolCall(newId: NewId, offered: ReadonlySet<string>, move: ToolMove): OutputItem {
  const { name, argument } = toolOf(move);
  if (offered.has('exec')) {
    // A directive of Codex's `exec` tool: the time until a running script goes to the background.
    const pragma = `// @exec: ${JSON.stringify({ yield_time_ms: scriptYieldMs })}`;
    return customCall(newId, 'exec', `${pragma}\n${programOf(name, JSON.stringify(argument))}`);
  }
  return typeof argument === 'string'
    ? customCall(newId, name, argument)
    : functionCall(newId, name, argument);
}

/** The items of an answer. `fail` has none; `cut` has a message that the server truncates. */
export function itemsOf(answer: Answer, offered: ReadonlySet<string>, newId: NewId): readonly OutputItem[] {
  const { leading, last } = answer;
  const said = leading.flatMap((move) =>
    move.move === 'say' ? [message(newId, move.text, 'commentary')] : [],
  );
  if (last.move === 'fail') return [];
  if (last.move === 'finish') return [...said, message(newId, last.text, 'final_answer')];
  if (last.move === 'cut') return [...said, message(newId, 'Cut off in the middle.', 'final_answer')];
  return [...said, toolCall(newId, offered, last)];
}

/** The item that answers a `compaction_trigger`. */
export const compactionItem = (newId: NewId): OutputItem => ({
  type: 'compaction',
  id: newId('cmp'),
  encrypted_content: 'c2NyaXB0ZWQgY29tcGFjdGlvbg==',
});
