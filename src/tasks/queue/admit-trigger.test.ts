import { describe, expect, it } from 'vitest';
import { admitTrigger, askerLimits, type Asker } from './admit-trigger.ts';

const now = 1_800_000_000_000;
const stranger: Asker = {
  known: null,
  isChecked: false,
  toldHere: false,
  started: 0,
  startedByStrangers: 0,
};
const refused = { mayAsk: false, at: now - 1000 };
const granted = { mayAsk: true, at: now - 1000 };

describe('the inbox of a repository', () => {
  it.each<[string, Partial<Asker>, ReturnType<typeof admitTrigger>]>([
    ['the first of an unknown person', {}, 'start'],
    ['another one while their first is being authorized', { isChecked: true }, 'wait'],
    ['one by a person with access, however many', { known: granted, isChecked: true, started: 999 }, 'start'],
    ['one by a person with access among strangers', { known: granted, startedByStrangers: 999 }, 'start'],
    [
      'one by a person whose access was seen a day ago',
      { known: { mayAsk: true, at: now - askerLimits.trustMs } },
      'start',
    ],
    [
      'a second one by a person whose access was seen a day ago',
      { known: { mayAsk: true, at: now - askerLimits.trustMs }, isChecked: true },
      'wait',
    ],
    ['one where the person was just refused', { known: refused, toldHere: true }, 'drop'],
    ['one in another conversation after a refusal', { known: refused }, 'start'],
    [
      'one where the person was refused some minutes ago',
      { known: { mayAsk: false, at: now - askerLimits.quietMs }, toldHere: true },
      'start',
    ],
    ['one by a person who was refused here and has access now', { known: granted, toldHere: true }, 'start'],
    ['one beyond the person’s rate', { known: refused, started: askerLimits.perPerson }, 'drop'],
    ['one beyond the person’s rate while nobody knows who may', { started: askerLimits.perPerson }, 'drop'],
    ['one beyond the repository’s rate', { startedByStrangers: askerLimits.perRepository }, 'drop'],
  ])('decides about a trigger: %s', (_, facts, verdict) => {
    expect(admitTrigger({ ...stranger, ...facts }, now)).toBe(verdict);
  });
});
