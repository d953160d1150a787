/** The detached runs, for the stages that start them and the record that watches them. */

export const codexRun = 'codex';
export const setupRun = 'setup';

/** The collector's output, kept with the record before anything is tried with it. */
export const keptChange = 'change.ndjson';
