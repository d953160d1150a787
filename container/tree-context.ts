/** What the steps of the collector share. Paths are byte strings (latin1), since a name need not be UTF-8. */
import type { CollectJob, SkippedPath } from '../src/core/change-set.ts';
import type { Git } from './fresh-git.ts';
import type { IndexEntry } from './index-changes.ts';
import type { FileMode } from './working-tree.ts';

export interface TreeContext {
  readonly job: CollectJob;
  readonly git: Git;
  readonly environment: Record<string, string>;
  readonly scratch: string;
  readonly base: ReadonlyMap<string, IndexEntry>;
  /** Differs from the index or is missing; `deleted` is part of it. */
  readonly modified: readonly string[];
  readonly deleted: ReadonlySet<string>;
  /** Not in the index and not ignored. A repository of its own ends with a slash. */
  readonly fresh: readonly string[];
  readonly failWith: (code: 'too-many-files' | 'too-large', message: string) => Error;
}

export type Skip = (path: string, why: SkippedPath['why'], more?: { bytes?: number; files?: number }) => void;
export type Addable = ReadonlyMap<string, { readonly bytes: number; readonly mode: FileMode }>;
