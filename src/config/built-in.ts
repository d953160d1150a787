/** What counts where the configuration says nothing. */

/** Used if neither the repository's entry nor `defaults` sets the value. */
export const builtIn = {
  label: 'codex',
  model: 'gpt-6.1-sol',
  effort: 'medium',
  minutes: 30,
  tokens: 2_000_000,
  draft: false,
  branchPrefix: 'airlock/',
  approval: 'anyone',
  slots: { total: 20, perRepository: 10, perRequester: 10 },
  retentionDays: 30,
} as const;
