/**
 * Decides what a person may see of a task and do with it on its page. Reading a private repository is enough
 * to look. Everybody reads a public one, and a task's log can hold what was never published, such as a held
 * secret or words from Slack: there it takes write access.
 */

/** Who looks. `operator`: the holder of a one-time link from the machine's own terminal. */
export type Viewer =
  | { readonly kind: 'github'; readonly login: string; readonly id: number }
  | { readonly kind: 'operator' };

/** A person's access to a repository, as GitHub reports it now. */
export interface RepositoryAccess {
  readonly permission: 'none' | 'read' | 'write';
  readonly private: boolean;
}

/** `act`: cancel, retry, approve and steer, too. */
export type PageAccess = 'none' | 'look' | 'act';

/** `access`: null if it is unknown, which gives nothing. */
export function pageAccess(viewer: Viewer, access: RepositoryAccess | null): PageAccess {
  if (viewer.kind === 'operator') return 'act';
  if (access === null) return 'none';
  if (access.permission === 'write') return 'act';
  return access.permission === 'read' && access.private ? 'look' : 'none';
}
