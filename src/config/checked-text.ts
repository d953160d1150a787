/** A text of the configuration that a function judges. */
import * as z from 'zod';

/** `problemOf` says what the text should have been; null: it is right. */
export const checkedText = (problemOf: (text: string) => string | null) =>
  z.string().superRefine((text, context) => {
    const problem = problemOf(text);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });
