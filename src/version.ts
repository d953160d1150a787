/** `test/version.test.ts` compares both with package.json, which is not in the bundle. */
export const airlockVersion = '0.1.0';
/** The Codex that `codex/config-toml.ts` was measured with. */
export const codexVersion = '0.171.0';
