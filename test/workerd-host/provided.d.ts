/** The values that `github.ts` provides to the tests in workerd. */
import 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    github: {
      readonly apiUrl: string;
      readonly appId: string;
      /** One key: as GitHub issues it, and after `openssl pkcs8`. */
      readonly pkcs1: string;
      readonly pkcs8: string;
      readonly webhookSecret: string;
    };
    /** Ids of accounts; eve's is nobody's. */
    people: { readonly ada: number; readonly rea: number; readonly eve: number };
    /** acme/split: ada may write, rea may not. */
    repository: {
      readonly id: number;
      readonly installationId: number;
      readonly headSha: string;
      readonly issue: number;
    };
  }
}
