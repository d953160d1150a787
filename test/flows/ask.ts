/** Starts a world for a flow test, and closes it once nothing is left. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { splitBillFiles } from '../../cli/demo/split-bill.ts';
import { startWorld, type World, type WorldOptions } from '../../cli/demo/world.ts';
import { applyPatch, finish, shell, type Move } from '../../simulators/openai/script.ts';
import { until } from '../../chaos/ask.ts';

export {
  api,
  ask,
  askOn,
  botComments,
  follow,
  scriptsByName,
  until,
  untilCommand,
  untilEnded,
  untilPhase,
  viewOf,
  type Asked,
} from '../../chaos/ask.ts';

export const splitBill = { owner: 'acme', name: 'split-bill' } as const;

export interface LogLine {
  readonly event: string;
  readonly [field: string]: unknown;
}
export interface FlowWorld {
  readonly world: World;
  readonly stateDir: string;
  /** Everything that Worker and sandbox host have logged, as text and parsed. */
  readonly logText: string[];
  logged(event: string): readonly LogLine[];
  close(): Promise<void>;
}

const logLine = z.looseObject({ event: z.string() });

export async function startFlow(
  options: Partial<WorldOptions> & Pick<WorldOptions, 'script'>,
): Promise<FlowWorld> {
  const stateDir = await mkdtemp(join(tmpdir(), 'airlock-flow-'));
  const logText: string[] = [];
  const world = await startWorld({
    files: splitBillFiles,
    log: (line) => void logText.push(line),
    ...options,
    stateDir,
  });
  const parsed: LogLine[] = [];
  const logged = (event: string) => {
    // Each line once: waits ask ten times a second.
    for (const line of logText.slice(parsed.length)) parsed.push(logLine.parse(JSON.parse(line)));
    return parsed.filter((line) => line.event === event);
  };
  const taskIds = (event: string) => new Set(logged(event).map(({ taskId }) => taskId));
  return {
    world,
    stateDir,
    logText,
    logged,
    close: async () => {
      const ended = taskIds('task.ended');
      if ([...taskIds('task.phase_entered')].every((taskId) => ended.has(taskId)))
        await untilNoTokenLives(world);
      await world.close();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

/**
 * A command that ends a second after a person's words were passed on to Codex, and what Codex does then.
 * `heed` has to be the first script: after the remark the prompt names both.
 */
export const steered = {
  heed: [
    applyPatch('*** Begin Patch\n*** Add File: NOTES.md\n+Cents are whole.\n*** End Patch'),
    finish({ title: 'Write it down', summary: 'A note on cents, as asked.' }),
  ],
  listen: [
    shell('until grep -q steer /run/airlock/codex/control.jsonl; do sleep 0.1; done; sleep 1'),
    applyPatch('*** Begin Patch\n*** Add File: UNHEARD.md\n+Nobody added anything.\n*** End Patch'),
    finish({ title: 'Go on alone', summary: 'Nothing was added.' }),
  ],
} as const satisfies Readonly<Record<string, readonly Move[]>>;

/** No sandbox is left, and no token that the bot minted still works, also of a Worker that was killed. */
export async function untilNothingIsLeft(flow: FlowWorld): Promise<void> {
  await until('every sandbox destroyed', () => flow.world.bot.sandboxes().length === 0);
  const many = (event: string) => flow.logged(event).length;
  await until('every end told', () => many('sandbox.ended') === many('sandbox.started'));
  await untilNoTokenLives(flow.world);
}

/** If its Worker was killed before the answer, nobody knows or used a token, or can revoke it. */
async function untilNoTokenLives({ github }: World): Promise<void> {
  await until('every token revoked', () =>
    github.issuedTokens().every(({ revoked, used }) => revoked || !used),
  );
}
