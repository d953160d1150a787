/** `cloudflare:workers` for tests in Node, as far as the record uses it. */
export class DurableObject<Env> {
  protected readonly ctx: unknown;
  protected readonly env: Env;
  constructor(ctx: unknown, env: Env) {
    this.ctx = ctx;
    this.env = env;
  }
}
