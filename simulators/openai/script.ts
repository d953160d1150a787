/**
 * The vocabulary in which a scripted model's behaviour is written down, and which answer of a script comes next.
 *
 * A script is a flat list of moves. Moves are grouped into answers: an answer ends at the first move that Codex has
 * to react to (a tool call, the final message, a failure). Which answer a request gets is a function of the request
 * alone: the number of tool outputs that follow the last user message. So a retried request gets the same answer,
 * a resumed thread goes on where it was, and one server serves any number of threads.
 */
export type PlanStatus = 'pending' | 'in_progress' | 'completed';

/** The body of an OpenAI error answer. */
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

/** What the model has been told so far, as far as scripts care. All of it comes from the request. */
export interface Conversation {
  /** Text of all messages with the role `user`, oldest first, joined by newlines. */
  readonly prompt: string;
  /** Text of the tool outputs after the last user message, oldest first. */
  readonly outputs: readonly string[];
}

/** A function must keep the answers that were already given: it may look back, not change its mind. */
export type Script = readonly Move[] | ((conversation: Conversation) => readonly Move[]);

export interface Answer {
  readonly leading: readonly LeadingMove[];
  readonly last: ToolMove | EndingMove;
}

/** Shows a plan: the first `done` steps are completed, the next one is in progress. */
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
/** A remark to the user, sent in one answer with the move that follows. */
export const say = (text: string): Move => ({ move: 'say', text });
/** The final message, in the shape that Airlock's output schema asks for. */
export const finish = (answer: { title: string; summary: string }): Move => ({
  move: 'finish',
  text: JSON.stringify(answer),
});
/** Refuses the request with this HTTP status. */
export const fail = (status: number, error: Partial<OpenAiError> & { message: string }): Move => ({
  move: 'fail',
  status,
  error: { type: 'invalid_request_error', param: null, code: null, ...error },
});
/** Breaks the connection in the middle of the stream. */
export const cut = (): Move => ({ move: 'cut' });
/** Waits before the first event of the answer that follows, on top of the server's own latency. */
export const slow = (ms: number): Move => ({ move: 'slow', ms });

/** The moves grouped into answers. A script that ends in leading moves gets an empty final message. */
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

/** The answer to a request. A conversation that outlives its script keeps getting the last answer. */
export function nextAnswer(script: Script, conversation: Conversation): { step: number; answer: Answer } {
  const answers = answersOf(typeof script === 'function' ? script(conversation) : script);
  const step = Math.min(conversation.outputs.length, Math.max(answers.length - 1, 0));
  return { step, answer: answers[step] ?? { leading: [], last: { move: 'finish', text: '' } } };
}
