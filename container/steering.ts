/**
 * Sends commands to the running turn: an interrupt, and remarks of people, in their order and each once.
 *
 * Codex's answer to `turn/steer` only says that the remark waits. A turn that ends at that moment still
 * writes the remark into its history, as a `userMessage` item, without another request to the model. So a
 * remark has reached the turn when its item is followed by an item of another type: the model has read it.
 * A remark that is never reported can be handled in the next turn.
 */
import { CodexRefusal, type CodexConnection } from './codex-connection.ts';
import type { ControlCommand } from './control-file.ts';
import type { Notification } from './event-file.ts';
import { at, type TurnStatus } from './turn-end.ts';

const requestDeadlineMs = 30_000;
/** An interrupt takes about 20 ms. If Codex does not react within this time, the turn ends without it. */
const interruptGraceMs = 5_000;

/** Items that Codex itself adds to the history. */
const notOfTheModel: ReadonlySet<string> = new Set(['contextCompaction', 'hookPrompt']);

export interface SteeringEvents {
  /** `reached` or `refused` at most once, as the last of an id; `taken`: Codex holds it for the model. */
  remark(id: string, state: 'taken' | 'reached' | 'refused'): void;
  failed(message: string): void;
}

export const textInput = (text: string) => [{ type: 'text', text, text_elements: [] }];

/** Holds commands back until the turn has an id. `end` ends the turn if Codex does not. */
export function createSteering(
  codex: Pick<CodexConnection, 'request'>,
  end: (status: TurnStatus) => void,
  events: SteeringEvents,
) {
  let turn: { threadId: string; turnId: string } | null = null;
  let waiting: ControlCommand[] = [];
  let graceTimer: NodeJS.Timeout | null = null;
  /** Remarks by id: sent to Codex, then written into its history, then reported. */
  const remarks = new Map<string, 'sent' | 'written' | 'reported'>();
  let lastSent: Promise<void> = Promise.resolve();

  function report(id: string, state: 'reached' | 'refused'): void {
    if (remarks.get(id) === 'reported') return;
    remarks.set(id, 'reported');
    events.remark(id, state);
  }

  async function send(threadId: string, expectedTurnId: string, id: string, text: string): Promise<void> {
    const params = { threadId, expectedTurnId, clientUserMessageId: id, input: textInput(text) };
    try {
      await codex.request('turn/steer', params, requestDeadlineMs);
      if (remarks.get(id) !== 'reported') events.remark(id, 'taken');
    } catch (error) {
      // After any other error Codex may have the remark.
      if (error instanceof CodexRefusal) report(id, 'refused');
    }
  }

  function act(command: ControlCommand): void {
    if (command.kind === 'interrupt') graceTimer ??= setTimeout(() => end('interrupted'), interruptGraceMs);
    if (turn === null) {
      waiting.push(command);
      return;
    }
    const { threadId, turnId } = turn;
    if (command.kind === 'interrupt') {
      codex
        .request('turn/interrupt', turn, requestDeadlineMs)
        .catch((error: unknown) => events.failed(`interrupt: ${String(error)}`));
      return;
    }
    const { id, text } = command;
    if (remarks.has(id)) return;
    remarks.set(id, 'sent');
    lastSent = lastSent.then(async () => await send(threadId, turnId, id, text));
  }

  return {
    act,
    turnStarted(threadId: string, turnId: string): void {
      turn = { threadId, turnId };
      for (const command of waiting) act(command);
      waiting = [];
    },
    /** Reads a notification of the turn's thread. */
    notification({ method, params }: Notification): void {
      if (method !== 'item/started' && method !== 'item/completed') return;
      const item = at(params, 'item');
      const type = at(item, 'type');
      if (type === 'userMessage') {
        const id = at(item, 'clientId');
        if (typeof id === 'string' && remarks.get(id) === 'sent') remarks.set(id, 'written');
        return;
      }
      // A command from before the remark can end after it: only a new item is the model's answer.
      if (method === 'item/completed' || typeof type !== 'string' || notOfTheModel.has(type)) return;
      for (const [id, state] of remarks) if (state === 'written') report(id, 'reached');
    },
    close(): void {
      if (graceTimer !== null) clearTimeout(graceTimer);
    },
  };
}
