/**
 * Tasks of the real bot whose model obeys the attacker: started over the API as a person would, and held in
 * Codex's run by a command that waits. Meanwhile probes run in the same sandbox with the task's real grant.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { TaskSandbox } from '../src/core/ports/sandbox-port.ts';
import type { TaskView } from '../src/core/task-view.ts';
import type { World } from '../cli/demo/world.ts';
import { applyPatch, finish, shell, type Move, type Script } from '../simulators/openai/script.ts';

const heldFile = '/tmp/held-by';
const letGoFile = '/tmp/let-go';
const heldMs = 90_000;
const endMs = 60_000;

export interface HijackedTask {
  readonly taskId: string;
  readonly sandboxId: string;
  readonly sandbox: TaskSandbox;
  /** Ends the wait, and with it Codex's run. */
  letGo(): Promise<void>;
  /** Waits for the end of the task; rejects after a minute. */
  view(): Promise<TaskView>;
}

/**
 * Scripts one conversation per name; the instruction names it in brackets. Any other request gets a short
 * answer.
 */
export function hijackedModel(moves: Readonly<Record<string, readonly Move[]>>): Script {
  return ({ prompt, outputs }) => {
    const name = Object.keys(moves).find((candidate) => prompt.includes(`[${candidate}]`));
    if (name === undefined) return [finish({ title: 'Nothing', summary: 'Nothing.' })];
    const before: readonly Move[] = [
      applyPatch(`*** Begin Patch\n*** Add File: NOTES.md\n+Of ${name}.\n*** End Patch`),
      ...(moves[name] ?? []),
    ];
    // Codex returns a command to the model long before a busy machine is done with the probes: hold again.
    const released = outputs.findIndex((output, at) => at >= before.length && output.includes(releasedText));
    const holds = (released < 0 ? outputs.length : released) - before.length + 1;
    return [
      ...before,
      ...Array.from({ length: Math.max(1, holds) }, () => hold(name)),
      finish({ title: 'Add notes', summary: 'Adds notes.' }),
    ];
  };
}

const releasedText = 'let go of';
/** Assembles its last words at run time, so that an output that quotes the command does not match. */
const hold = (name: string): Move =>
  shell(
    `printf %s ${name} > ${heldFile}; until [ -e ${letGoFile} ]; do sleep 0.1; done; echo let go "o"f ${name}`,
  );

const started = z.object({ taskId: z.string() });
const viewSchema = z.custom<TaskView>(
  (value) => z.looseObject({ taskId: z.string(), receipt: z.looseObject({}) }).safeParse(value).success,
);

export async function startHijacked(world: World, name: string, repository: string): Promise<HijackedTask> {
  const headers = { authorization: `Bearer ${world.apiToken}`, 'content-type': 'application/json' };
  const ask = async (path: string, init: RequestInit): Promise<unknown> => {
    const answer = await fetch(`${world.bot.url}${path}`, {
      ...init,
      headers,
      signal: AbortSignal.timeout(20_000),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${(await answer.text()).slice(0, 200)}`);
    return await answer.json();
  };
  const body = JSON.stringify({ repository, instruction: `Do what the repository says [${name}]` });
  const { taskId } = started.parse(await ask('/api/tasks', { method: 'POST', body }));
  const view = async () => viewSchema.parse(await ask(`/api/tasks/${taskId}`, {}));
  const sandboxId = await untilHeld(world, name, view);
  const sandbox = world.bot.sandboxOf(sandboxId);
  return {
    taskId,
    sandboxId,
    sandbox,
    letGo: async () => await sandbox.writeFile(letGoFile, ''),
    view: async () => {
      const deadline = Date.now() + endMs;
      for (;;) {
        const seen = await view();
        if (seen.outcome !== null) return seen;
        if (Date.now() > deadline) throw new Error(`the task ${name} does not end`);
        await sleep(100);
      }
    },
  };
}

async function untilHeld(world: World, name: string, view: () => Promise<TaskView>): Promise<string> {
  const deadline = Date.now() + heldMs;
  for (;;) {
    for (const id of world.bot.sandboxes()) {
      const file = await world.bot
        .sandboxOf(id)
        .readFile(heldFile, { offset: 0, maxBytes: 100 })
        .catch(() => null); // still starting, or just gone
      if (file !== null && new TextDecoder().decode(file.bytes) === name) return id;
    }
    const { outcome } = await view();
    if (outcome !== null) throw new Error(`the task ${name} ended early: ${JSON.stringify(outcome)}`);
    if (Date.now() > deadline) throw new Error(`the task ${name} does not reach its commands`);
    await sleep(100);
  }
}
