/** Reads and replaces the two files that the set-up writes: `.dev.vars` and the configuration. */
import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import { StartProblem } from '../../host/environment.ts';
import type { AirlockConfig } from '../../src/config/schema.ts';
import { changeConfig, emptyConfig, readConfigText, type ConfigChange } from './config-text.ts';
import { readText, replaceFile, withSettings } from './dev-vars.ts';
import { refuse, type Refusal } from './refusal.ts';

export interface StoreOptions {
  readonly devVarsPath: string;
  readonly configPath: string;
  /** Overrides `.dev.vars`, as it does for the bot. */
  readonly environment: NodeJS.Dict<string>;
}

export class Store {
  private readonly options: StoreOptions;

  constructor(options: StoreOptions) {
    this.options = options;
  }

  /** Proves that the file can be written before GitHub hands over a key once. Makes an API token. */
  async prepare(): Promise<void> {
    const missing = !('API_TOKEN' in (await this.settings()));
    await this.save(missing ? { API_TOKEN: randomBytes(24).toString('hex') } : {});
  }

  /** The settings of a bot that is started here now. A blank value counts as unset. */
  async settings(): Promise<Readonly<Record<string, string>>> {
    const inFile = parseEnv(await readText(this.options.devVarsPath));
    const all = Object.entries({ ...inFile, ...this.options.environment });
    return Object.fromEntries(
      all.flatMap(([name, value]) => (value === undefined || value.trim() === '' ? [] : [[name, value]])),
    );
  }

  /** Rejects with `StartProblem` if the file cannot be written. Null removes a setting. */
  async save(changes: Readonly<Record<string, string | null>>): Promise<Refusal | null> {
    const { devVarsPath, environment } = this.options;
    const hidden = Object.keys(changes).find(
      (name) => (environment[name]?.trim() ?? '') !== '' && environment[name] !== changes[name],
    );
    if (hidden !== undefined)
      return refuse(
        `${hidden} is set in the environment, which takes precedence over .dev.vars`,
        `Stop this, run unset ${hidden} in the shell, and run npm run setup again.`,
      );
    await replaceFile(devVarsPath, withSettings(await readText(devVarsPath), changes), 0o600);
    return null;
  }

  /** The text, and what it says; a refusal if it has mistakes. An absent file allows nothing. */
  async config(): Promise<{ readonly text: string; readonly config: AirlockConfig } | Refusal> {
    const text = (await readText(this.options.configPath)) || emptyConfig;
    const read = readConfigText(text);
    if (read.ok) return { text, config: read.config };
    return refuse(read.problem, 'Correct that line, and reload this page.');
  }

  async changeConfig(changes: readonly ConfigChange[]): Promise<Refusal | null> {
    const text = (await readText(this.options.configPath)) || emptyConfig;
    const changed = changeConfig(text, changes);
    if (!changed.ok) return refuse(changed.problem, 'Correct that line, and try again.');
    const { configPath } = this.options;
    const before = await stat(configPath).catch(() => null);
    const mode = before === null ? 0o644 : before.mode & 0o777;
    if (changed.text !== text) await replaceFile(configPath, changed.text, mode);
    return null;
  }
}

/** A file that cannot be written is an answer too. */
export async function refusingToWrite(work: () => Promise<Refusal | null>): Promise<Refusal | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StartProblem)
      return refuse(error.message, 'Make room or correct its permissions, and try again.');
    throw error;
  }
}
