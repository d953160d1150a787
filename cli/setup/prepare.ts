/** Puts the parts of the set-up together. Shows nothing and asks nobody. */
import { Proof, type ProofDeps } from './proof.ts';
import { Setup } from './setup.ts';
import { SlackChannel } from './slack-channel.ts';
import { Store, type StoreOptions } from './store.ts';

export interface SetupParts {
  readonly setup: Setup;
  readonly store: Store;
  readonly proof: Proof;
  readonly channel: SlackChannel;
  readonly publicUrl: string | null;
  readonly socketMode: boolean;
}

/** Rejects with `StartProblem` if `.dev.vars` cannot be written. */
export async function prepareSetup(options: {
  readonly files: StoreOptions;
  /** Where webhooks and Slack reach the bot, without a trailing slash; null: it needs no public address. */
  readonly publicUrl: string | null;
  /** Whether Slack is reached over Socket Mode, which works on one machine only. */
  readonly socketMode: boolean;
  readonly now: () => number;
  readonly proof: Omit<ProofDeps, 'environment'>;
}): Promise<SetupParts & { stop(): Promise<void> }> {
  const { files, publicUrl, socketMode, now } = options;
  const store = new Store(files);
  const setup = new Setup({ store, fetch, now, publicUrl, socketMode });
  const environment = async () => ({ ...(await store.settings()), AIRLOCK_CONFIG: files.configPath });
  const proof = new Proof({ ...options.proof, environment });
  const channel = new SlackChannel();
  await store.prepare();
  return {
    setup,
    store,
    proof,
    channel,
    publicUrl,
    socketMode,
    async stop() {
      await channel.stop();
      await proof.stop();
    },
  };
}
