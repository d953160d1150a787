/** The bundle contains the configuration as text (`host/build-worker.ts`). */
declare module '*.jsonc' {
  const text: string;
  export default text;
}
