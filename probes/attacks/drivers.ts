/**
 * Decides which attacks each driver sends, and names the reason where it leaves one out. Every driver sends
 * all that it can, so a new row runs in every driver where it can show something.
 */
import type { Attack, DriverName, Pieces } from './attack.ts';
import { hangsUp } from './spelled.ts';

export const driverNames: readonly DriverName[] = ['decision', 'gateway', 'workerd', 'inside'];

/** null: the driver sends it. */
export function leftOutBy(driver: DriverName, attack: Attack): string | null {
  if (attack.expect.only !== undefined)
    return attack.expect.only.includes(driver) ? null : 'the attack shows nothing there';
  switch (driver) {
    case 'decision':
      return attack.pieces.kind === 'bytes' ? 'a decision sees no bytes' : null;
    case 'gateway':
      return (
        withoutBytes(attack.pieces) ??
        (attack.grant === undefined ? null : 'the gateway knows no grants') ??
        (attack.pieces.kind === 'bytes' && hangsUp(attack.pieces)
          ? 'the sender is gone before an answer'
          : null)
      );
    case 'workerd':
      return withoutBytes(attack.pieces, true);
    case 'inside':
      return (
        withoutBytes(attack.pieces) ??
        (attack.grant === undefined ? null : 'the task inside has its own grant')
      );
  }
}

function withoutBytes(pieces: Pieces, choosesDestination = false): string | null {
  if (pieces.kind === 'url') return 'no request line can carry it';
  return pieces.kind === 'bytes' && pieces.destination !== undefined && !choosesDestination
    ? 'it cannot choose the destination of the connection'
    : null;
}

export const attacksFor = (driver: DriverName, attacks: readonly Attack[]): readonly Attack[] =>
  attacks.filter((attack) => leftOutBy(driver, attack) === null);
