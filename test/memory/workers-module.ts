/** `node --import`: lets Node load the record's class, which imports `cloudflare:workers`. */
import { registerHooks } from 'node:module';

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'cloudflare:workers'
      ? { url: new URL('durable-object.ts', import.meta.url).href, shortCircuit: true }
      : next(specifier, context),
});
