/** Names of the detached runs in a sandbox: who starts one and who follows it both name it. */

export const codexRun = 'codex';
export const setupRun = 'setup';
