/** How a repository wants its pull requests: what the base branch shows. Untrusted, and given as data. */
import * as z from 'zod';

/** Characters of a template. A longer one is not given to Codex. */
export const maxTemplateCharacters = 12_000;

export const conventionsSchema = z.object({
  /** Of the last commits by people, newest first. */
  subjects: z.array(z.string()),
  /** The pull request template; null if there is none, or if the task opens no pull request. */
  template: z.string().nullable(),
});
export type Conventions = z.infer<typeof conventionsSchema>;

export const noConventions: Conventions = { subjects: [], template: null };
