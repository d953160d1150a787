/**
 * An error of OpenAI as the sandbox may see it. Its words help the model and the person; ids of our organisation, project and key,
 * which OpenAI likes to quote, do not. Pure.
 */
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

/** `org-…`, `proj_…`, `sk-…`, also where OpenAI has starred most of it out. */
const ownIds = /\b(?:org|proj|sk|sess|user|asst|key)[-_][\w*-]+/g;

/** A body in OpenAI's error shape; a general one for what is none. */
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
