/** What `github.ts` hands to the tests in workerd. */
import 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    github: {
      readonly apiUrl: string;
      readonly appId: string;
      /** One key, as GitHub hands it out and as it is after `openssl pkcs8`. */
      readonly pkcs1: string;
      readonly pkcs8: string;
      readonly webhookSecret: string;
    };
    /** acme/split, where ada may write and rea may not. */
    repository: {
      readonly id: number;
      readonly installationId: number;
      readonly headSha: string;
      readonly issue: number;
    };
  }
}
