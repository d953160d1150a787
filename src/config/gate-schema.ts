/** Defines the shape of `gate`: which paths are protected, and which rules are not applied. */
import * as z from 'zod';
import { readAllowed } from '../core/gate-policy.ts';
import { globProblem } from '../lib/glob.ts';
import { checkedText } from './checked-text.ts';

const glob = checkedText(globProblem);
const allowed = z.string().superRefine((text, context) => {
  const read = readAllowed(text);
  if (!read.ok) context.addIssue({ code: 'custom', message: read.expected, params: { hint: read.hint } });
});
export const gateSchema = z
  .strictObject({
    protected: z.array(glob).max(100).optional().meta({
      description:
        'Paths or globs ("infra/**", "LICENSE"), each with everything below it. A change to one is held until a person approves it. Default: none.',
    }),
    allow: z.array(allowed).max(100).optional().meta({
      description:
        'Rules of the gate that are not applied: a code ("agent-instructions"), a code and a glob ("executable:bin/**"), or a glob for each rule that only marks files ("docs/**/AGENTS.md"). Default: none.',
    }),
  })
  .meta({ description: 'What the gate does differently before it publishes a change.' });

export const gateKeys = Object.keys(gateSchema.shape);
