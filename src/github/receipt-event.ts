/** What can happen to a check run “Airlock receipt”, and to a pull request that may need one. */

export interface ReceiptPlace {
  readonly owner: string;
  readonly name: string;
  readonly repositoryId: number;
  readonly installationId: number;
}
export type ReceiptEvent = { readonly place: ReceiptPlace } &
  /** Somebody pressed the button of a run. */
  (
    | { readonly kind: 'press'; readonly runId: number; readonly person: { login: string; id: number } }
    /** Somebody asked for the checks of a commit to run again. */
    | { readonly kind: 'again'; readonly sha: string }
    /** A pull request has a new head or another base, or was opened again. */
    | {
        readonly kind: 'pull';
        readonly number: number;
        readonly sha: string;
        readonly base: string;
        readonly reopened: boolean;
        /** Ms since the epoch. */
        readonly at: number;
      }
  );
