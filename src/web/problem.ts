/** The one form of every error that the HTTP API answers with: `{ "error": { "code", "message" } }`. */
import type { Context, Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';

export function problem(
  c: Context,
  status: ContentfulStatusCode,
  code: string,
  message: string,
  more: object = {},
): Response {
  return c.json({ ...more, error: { code, message } }, status);
}

/** Answers every other method of a path. Register it after the path's own handlers. */
export function allowOnly(app: Hono, path: string, methods: string): void {
  app.all(path, (c) => {
    c.header('allow', methods);
    return problem(c, 405, 'method-not-allowed', `${c.req.method} is not possible here; use ${methods}.`);
  });
}
