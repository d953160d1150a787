/**
 * A script is a flat list of moves, grouped into answers that end where Codex has to react. A request's
 * number of tool outputs after the last user message selects its answer: a retry gets the same one, and one
 * server serves any number of threads.
 */
export type PlanStatus = 'pending' | 'in_progress' | 'completed';

/** The error object of an OpenAI error response. */
export interface OpenAiError {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
}

export type ToolMove =
  | {
      readonly move: 'plan';
      readonly plan: readonly { readonly step: string; readonly status: PlanStatus }[];
    }
  | { readonly move: 'shell'; readonly command: string }
  | { readonly move: 'applyPatch'; readonly patch: string };
type EndingMove =
  | { readonly move: 'finish'; readonly text: string }
  | { readonly move: 'fail'; readonly status: number; readonly error: OpenAiError }
  | { readonly move: 'cut' };
type LeadingMove =
  | { readonly move: 'say'; readonly text: string }
  | { readonly move: 'slow'; readonly ms: number };
export type Move = ToolMove | EndingMove | LeadingMove;

/** The part of a request that scripts can react to. */
export interface Conversation {
  /** Text of all messages with the role `user`, oldest first, joined by newlines. */
  readonly prompt: string;
  /** Text of the tool outputs after the last user message, oldest first. */
  readonly outputs: readonly string[];
}

/** A function must be consistent: for a longer conversation it must return the same earlier answers. */
export type Script = readonly Move[] | ((conversation: Conversation) => readonly Move[]);

export interface Answer {
  readonly leading: readonly LeadingMove[];
  readonly last: ToolMove | EndingMove;
}

/** Updates the plan: the first `done` steps are completed, the next one is in progress. */
export const plan = (steps: readonly string[], done: number): Move => ({
  move: 'plan',
  plan: steps.map((step, index) => ({
    step,
    status: index < done ? 'completed' : index === done ? 'in_progress' : 'pending',
  })),
});
/** Runs a command in the sandbox's shell. */
export const shell = (command: string): Move => ({ move: 'shell', command });
/** Edits files; `patch` is the whole text from `*** Begin Patch` to `*** End Patch`. */
export const applyPatch = (patch: string): Move => ({ move: 'applyPatch', patch });
/** Sends a message to the user in the same answer as the next move. */
export const say = (text: string): Move => ({ move: 'say', text });
/** Sends the final message in the form of Airlock's output schema. */
export const finish = (answer: {
  title: string;
  summary: string;
  replies?: readonly { id: number; text: string }[];
}): Move => ({
  move: 'finish',
  text: JSON.stringify(answer),
});
/** Refuses the request with this HTTP status. */
export const fail = (status: number, error: Partial<OpenAiError> & { message: string }): Move => ({
  move: 'fail',
  status,
  error: { type: 'invalid_request_error', param: null, code: null, ...error },
});
/** Closes the connection in the middle of the stream. */
export const cut = (): Move => ({ move: 'cut' });
/** Delays the first event of the next answer, in addition to the server's latency. */
export const slow = (ms: number): Move => ({ move: 'slow', ms });

/** Groups moves into answers. Adds an empty final message to a script that ends in leading moves. */
export function answersOf(moves: readonly Move[]): readonly Answer[] {
  const answers: Answer[] = [];
  let leading: LeadingMove[] = [];
  for (const move of moves) {
    if (move.move === 'say' || move.move === 'slow') {
      leading.push(move);
      continue;
    }
    answers.push({ leading, last: move });
    leading = [];
  }
  if (leading.length > 0) answers.push({ leading, last: { move: 'finish', text: '' } });
  return answers;
}

/** Selects the answer to a request. After the end of the script, the last answer repeats. */
export function nextAnswer(script: Script, conversation: Conversation): { step: number; answer: Answer } {
  const answers = answersOf(typeof script === 'function' ? script(conversation) : script);
  const step = Math.min(conversation.outputs.length, Math.max(answers.length - 1, 0));
  return { step, answer: answers[step] ?? { leading: [], last: { move: 'finish', text: '' } } };
}
