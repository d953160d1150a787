/** What the App has registered for sign-in, and the codes and tokens of people. */
import type { User } from './store.ts';

interface Code {
  readonly user: User;
  readonly redirectUri: string;
  readonly challenge: string | null;
  readonly until: number;
}

export class SignIns {
  /** null: the App has no client secret, and nobody can sign in. */
  clientSecret: string | null = null;
  callbackUrl: string | null = null;
  readonly codes = new Map<string, Code>();
  /** Live tokens of people. */
  readonly tokens = new Map<string, User>();
}
