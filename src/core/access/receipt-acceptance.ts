/** Decides who may accept what a receipt check marks: by write access now, and by who asked for it. */
import type { ApprovalRule } from '../policy.ts';
import { isAsker, type AskedBy } from './approver.ts';

export interface AcceptanceInput {
  readonly person: { readonly login: string; readonly id: number };
  readonly canWrite: boolean;
  readonly rule: ApprovalRule;
  /** Who asked for each marked commit; null: that task's record is gone. */
  readonly asked: readonly (AskedBy | null)[];
}

export type AcceptanceVerdict =
  | { readonly kind: 'accept' }
  /** `message`: for the check run; null for strangers, whose press must not write anything there. */
  | { readonly kind: 'refuse'; readonly message: string | null };

export function decideAcceptance({ person, canWrite, rule, asked }: AcceptanceInput): AcceptanceVerdict {
  if (!canWrite) return { kind: 'refuse', message: null };
  if (rule !== 'second-person') return { kind: 'accept' };
  const approval = { by: person.login, github: person, changeHash: '' };
  if (asked.some((one) => one !== null && isAsker(approval, one)))
    return {
      kind: 'refuse',
      message: `${person.login} asked for this change. The configuration demands a second person: somebody else with write access has to accept it.`,
    };
  if (asked.includes(null))
    return {
      kind: 'refuse',
      message:
        'The configuration demands a second person, and the record of who asked is no longer kept. Ask for the change again, or let an administrator merge it.',
    };
  return { kind: 'accept' };
}
