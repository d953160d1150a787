/**
 * Holds the attack table together: unique names, no attack without a driver, and no fewer attacks per driver
 * than there were.
 */
import { describe, expect, it } from 'vitest';
import { model, type DriverName } from './attack.ts';
import { attacksFor, driverNames, leftOutBy } from './drivers.ts';
import { allAttacks, attackTable } from './table.ts';
import { attackProbes } from '../inside-attacks.ts';
import { exemplaryPlace } from '../place.ts';
import { builtIn } from '../../src/config/built-in.ts';

/** Raise these with the table. A smaller number means that an attack was lost. */
const least: Readonly<Record<DriverName, number>> = {
  decision: 825,
  gateway: 826,
  workerd: 919,
  inside: 830,
};

describe('the attack table', () => {
  it('names each attack once', () => {
    const names = allAttacks.map(({ name }) => name);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });

  it('has a driver for each attack', () => {
    const idle = allAttacks.filter((attack) =>
      driverNames.every((driver) => leftOutBy(driver, attack) !== null),
    );
    expect(idle).toEqual([]);
  });

  it.each(driverNames)('loses no attack of the driver “%s”', (driver) => {
    expect(attacksFor(driver, allAttacks).length).toBeGreaterThanOrEqual(least[driver]);
  });

  it('gives each attack inside a probe with an id of its own', () => {
    for (const attacks of Object.values(attackTable)) {
      const ids = attackProbes(attacks, exemplaryPlace).map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
    }
  });

  it('asks for the model that a task gets by default', () => {
    expect(model).toBe(builtIn.model);
  });
});
