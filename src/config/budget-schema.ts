/** Defines the shape of `budget`: what tasks may spend in a month. `core/budget.ts` decides by it. */
import * as z from 'zod';
import type { Budget, BudgetCaps } from '../core/policy.ts';

const caps = {
  tokens: z
    .int()
    .min(1000)
    .max(1_000_000_000_000)
    .optional()
    .meta({ description: 'Input plus output tokens. Default: no cap.' }),
  dollars: z
    .number()
    .min(0.01)
    .max(10_000_000)
    .optional()
    .meta({ description: 'US dollars, by `prices`. Default: no cap.' }),
};
const perPerson = z
  .strictObject(caps)
  .meta({ description: 'What the tasks of one person (a GitHub or Slack account) may spend.' });

/** `whose`: ends the sentence “What … may spend”. */
export const budgetSchema = (whose: string) =>
  z.strictObject({ ...caps, perPerson: perPerson.optional() }).meta({
    description: `What ${whose} may spend in a calendar month (UTC). A task beyond a cap is refused until the next month; what runs then finishes.`,
  });
export const budgetKeys = [...Object.keys(caps), 'perPerson'];
export const capKeys = Object.keys(caps);

type Caps = { readonly [Key in keyof BudgetCaps]?: BudgetCaps[Key] | undefined };
type Written = Caps & { readonly perPerson?: Caps | undefined };

const capsOf = ({ tokens, dollars }: Caps = {}): BudgetCaps => ({
  tokens: tokens ?? null,
  dollars: dollars ?? null,
});

export const budgetOf = (written: Written = {}): Budget => ({
  ...capsOf(written),
  perPerson: capsOf(written.perPerson),
});
