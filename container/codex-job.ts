/** Validates the driver's job file; a test keeps it in agreement with `src/codex/invocation.ts`. */
import { readFileSync } from 'node:fs';

export interface CodexDriverJob {
  readonly prompt: string;
  /** Paths of the images that belong to the prompt. Codex reads them itself. */
  readonly images: readonly string[];
  /** The working directory of the turn: the clone. */
  readonly cwd: string;
  readonly model: string;
  readonly effort: string;
  /** JSON Schema for the final message; null leaves it free. */
  readonly outputSchema: unknown;
  /** Path of the native binary, not of its Node wrapper. */
  readonly codexBinary: string;
  /** Codex's home folder, with `config.toml` and the sessions. */
  readonly codexHome: string;
  /** The thread to resume, whose rollout file is below `codexHome`; null starts a new thread. */
  readonly resume: {
    readonly threadId: string;
    /** The version of Codex that wrote the rollout. Another one starts a new thread. */
    readonly codexVersion: string;
    /** Instead of `prompt`, which is for a new thread. */
    readonly prompt: string;
  } | null;
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Thread ids are UUIDs. Checked, because the id becomes part of a file name. */
const threadIdPattern = /^[0-9a-f-]{8,64}$/i;

/** Throws an `Error` that names the file or the key. */
export function readJob(path: string): CodexDriverJob {
  const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (!isRecord(parsed)) throw new Error('the job file contains no JSON object');
  const text = (key: string): string => {
    const value = parsed[key];
    if (typeof value !== 'string' || value === '') throw new Error(`the job file has no "${key}"`);
    return value;
  };
  return {
    prompt: text('prompt'),
    images: readImages(parsed['images']),
    cwd: text('cwd'),
    model: text('model'),
    effort: text('effort'),
    outputSchema: parsed['outputSchema'] ?? null,
    codexBinary: text('codexBinary'),
    codexHome: text('codexHome'),
    resume: readResume(parsed['resume']),
  };
}

function readImages(value: unknown): readonly string[] {
  const paths: readonly unknown[] = Array.isArray(value) ? value : [];
  return paths.map((path) => {
    if (typeof path !== 'string' || !path.startsWith('/'))
      throw new Error('the job file has an image without an absolute path');
    return path;
  });
}

function readResume(value: unknown): CodexDriverJob['resume'] {
  if (value === undefined || value === null) return null;
  const { threadId, codexVersion, prompt } = isRecord(value) ? value : {};
  if (typeof threadId !== 'string' || !threadIdPattern.test(threadId))
    throw new Error('the job file has no valid "resume.threadId"');
  if (typeof codexVersion !== 'string' || typeof prompt !== 'string' || prompt === '')
    throw new Error('the job file has no "resume.codexVersion" or "resume.prompt"');
  return { threadId, codexVersion, prompt };
}
