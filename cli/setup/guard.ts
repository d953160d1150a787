/**
 * Lets only the person at the terminal use the page: by a word that works once and becomes a cookie, and by
 * `Host` and `Origin`, which keep other sites and names that lead to the loopback out.
 */
import { randomBytes } from 'node:crypto';
import { sameSecret } from '../../src/lib/same-secret.ts';

export type Entry =
  | { readonly kind: 'inside' }
  /** The word was right: give the cookie, and lead to the page without the word. */
  | { readonly kind: 'enter'; readonly cookie: string }
  | { readonly kind: 'refused'; readonly status: 403; readonly why: string };

export class Guard {
  private readonly session = randomBytes(32).toString('hex');
  private readonly port: number;
  private word = newWord();

  constructor(port: number) {
    this.port = port;
  }

  /** Names that lead to the loopback from elsewhere do not count. */
  isOwnHost(host: string): boolean {
    return [`127.0.0.1:${this.port}`, `localhost:${this.port}`].includes(host);
  }

  /** The address to open. Another one after each use. */
  get address(): string {
    return `http://127.0.0.1:${this.port}/?word=${this.word}`;
  }

  get cookieName(): string {
    return `airlock_setup_${this.port}`;
  }

  async admit(request: {
    readonly method: string;
    readonly host: string;
    readonly origin: string | null;
    /** Value of the cookie `cookieName`. */
    readonly cookie: string | null;
    readonly word: string | null;
  }): Promise<Entry> {
    if (request.word !== null && request.method === 'GET') {
      if (!(await sameSecret(request.word, this.word)))
        return { kind: 'refused', status: 403, why: 'This address was used already, or is not complete.' };
      this.word = newWord();
      const attributes = 'Path=/; HttpOnly; SameSite=Lax';
      return { kind: 'enter', cookie: `${this.cookieName}=${this.session}; ${attributes}` };
    }
    if (request.cookie === null || !(await sameSecret(request.cookie, this.session)))
      return { kind: 'refused', status: 403, why: 'Open the address that the terminal shows.' };
    if (request.method !== 'GET' && request.origin !== `http://${request.host}`)
      return { kind: 'refused', status: 403, why: 'This form was sent from another page.' };
    return { kind: 'inside' };
  }
}

const newWord = (): string => randomBytes(16).toString('hex');
