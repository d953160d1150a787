/** Starts the bot on the new settings, and waits for the first mention: the proof that everything works. */
import { join } from 'node:path';
import { z } from 'zod';
import { startBot, type Bot } from '../../host/bot.ts';
import { readEnvironment } from '../../host/environment.ts';
import { openLogFile } from '../../host/log-file.ts';
import type { Finding } from '../../src/core/finding.ts';
import { parseJson } from '../../src/lib/parse-json.ts';
import { examineHere } from '../doctor/examine-here.ts';
import { refusalIn, refuse, type Refusal } from './refusal.ts';

export interface ProofDeps {
  /** All settings, in place of `.dev.vars`. */
  readonly environment: () => Promise<NodeJS.ProcessEnv>;
  readonly examineSandboxes: () => Promise<readonly Finding[]>;
  /** Called after each start of workerd, whose host takes over the signals. */
  readonly started?: () => void;
}

export type ProofView =
  | { readonly stage: 'idle' }
  | { readonly stage: 'starting'; readonly now: string }
  | { readonly stage: 'failed'; readonly refusal: Refusal }
  /** `mention`: what became of the latest one, until one was answered. */
  | {
      readonly stage: 'running';
      readonly url: string;
      readonly findings: readonly Finding[];
      readonly mention: 'awaited' | 'arrived' | 'fruitless' | 'answered';
    };

/** What a person reads while the proof waits. */
export const mentionWords = {
  awaited: 'Waiting for it to arrive …',
  arrived: 'It arrived. Waiting for the answer …',
  fruitless: 'It arrived, and came to nothing: the comment below it says why. Waiting for another one …',
} as const;

/** Ends of a task that show less than a bot that works. */
const fruitless = new Set(['refused', 'failed', 'cancelled', 'ignored']);

const lineSchema = z.object({ event: z.string(), outcome: z.string().optional() });

export class Proof {
  private readonly deps: ProofDeps;
  private current: ProofView = { stage: 'idle' };
  private work: Promise<void> = Promise.resolve();
  private bot: Bot | null = null;

  constructor(deps: ProofDeps) {
    this.deps = deps;
  }

  view(): ProofView {
    return this.current;
  }

  /** Once; again only after a failure. */
  start(): void {
    if (this.current.stage !== 'idle' && this.current.stage !== 'failed') return;
    this.current = { stage: 'starting', now: 'Building a sandbox …' };
    this.work = this.run().catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      this.current = { stage: 'failed', refusal: refuse(why, 'Correct it, and press the button again.') };
    });
  }

  /** Resolves when the check under way has ended, one way or the other. */
  async settled(): Promise<void> {
    await this.work;
  }

  async stop(): Promise<void> {
    await this.work;
    await this.bot?.stop();
    this.bot = null;
  }

  private async run(): Promise<void> {
    const refusal = refusalIn(await this.deps.examineSandboxes());
    this.deps.started?.();
    if (refusal !== null) {
      this.current = { stage: 'failed', refusal };
      return;
    }
    this.current = { stage: 'starting', now: 'Starting the bot …' };
    const environment = await this.deps.environment();
    const { stateDir, hostname, port, settings, configText, slack } = await readEnvironment(environment);
    const write = openLogFile(join(stateDir, 'airlock.log'), () => undefined);
    this.bot = await startBot({
      stateDir,
      hostname,
      port,
      settings,
      configText,
      slackAppToken: slack?.appToken ?? null,
      progress: () => undefined,
      log: (line) => {
        write(line);
        this.watch(line);
      },
    });
    this.current = { stage: 'starting', now: 'Asking the doctor …' };
    this.deps.started?.();
    const all = await examineHere({ environment, fetch, now: Date.now, sandboxes: null });
    // The first mention shows whether deliveries arrive; until then the doctor can only wonder.
    const findings = all.filter(({ id, status }) => id !== 'github.deliveries' || status === 'fail');
    this.current = { stage: 'running', url: this.bot.url, findings, mention: 'awaited' };
  }

  private watch(line: string): void {
    const { current } = this;
    if (current.stage !== 'running' || current.mention === 'answered') return;
    const read = lineSchema.safeParse(parseJson(line)).data;
    if (read?.event === 'webhook.accepted') this.current = { ...current, mention: 'arrived' };
    if (read?.event === 'task.ended')
      this.current = { ...current, mention: fruitless.has(read.outcome ?? '') ? 'fruitless' : 'answered' };
  }
}
