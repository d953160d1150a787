/** Keeps the words of OpenAI's error for the sandbox, and removes our organisation, project and key. */
import * as z from 'zod';
import { parseJson } from '../lib/parse-json.ts';

const shape = z.object({
  error: z.object({
    message: z.string(),
    type: z.string().nullish(),
    code: z.string().nullish(),
    param: z.string().nullish(),
  }),
});

/** `org-…`, `proj_…`, `sk-…`, also where OpenAI masks most of it with stars. */
const ownIds = /\b(?:org|proj|sk|sess|user|asst|key)[-_][\w*-]+/g;

/** Returns a body in OpenAI's error shape; a general one if the text is not in that shape. */
export function openaiErrorBody(text: string, status: number): string {
  const parsed = shape.safeParse(parseJson(text));
  if (!parsed.success)
    return JSON.stringify({
      error: {
        message: `OpenAI answered with status ${status}`,
        type: 'upstream_error',
        code: null,
        param: null,
      },
    });
  const { message, type, code, param } = parsed.data.error;
  return JSON.stringify({
    error: {
      message: message.slice(0, 2_000).replace(ownIds, '[removed]'),
      type: type ?? null,
      code: code ?? null,
      param: param ?? null,
    },
  });
}
