/**
 * Names of the detached runs in a sandbox, for the stages that start them and the record that watches them.
 */

export const codexRun = 'codex';
export const setupRun = 'setup';
