/** What this checkout is. `test/version.test.ts` holds both to package.json, which the bundle does not contain. */
export const airlockVersion = '0.1.0';
/** The Codex that `codex/config-toml.ts` was measured with. */
export const codexVersion = '0.171.0';
