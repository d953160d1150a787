/** Wrangler bundles the configuration as text (`rules` in wrangler.jsonc). */
declare module '*.jsonc' {
  const text: string;
  export default text;
}
