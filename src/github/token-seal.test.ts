import { expect, it } from 'vitest';
import { createTokenSeal } from './token-seal.ts';

const ours = createTokenSeal('the private key');
const token = `ghs_${'a'.repeat(500)}`;

it('opens what was sealed under the same key for the same task, and shows nothing of it before', async () => {
  const sealed = await ours.seal(token, 'gh-1-c1');
  expect(atob(sealed)).not.toContain('ghs_');
  expect(await createTokenSeal('the private key').open(sealed, 'gh-1-c1')).toBe(token);
  expect(await ours.seal(token, 'gh-1-c1')).not.toBe(sealed);
});

it.each([
  ['for another task', ours, (sealed: string) => sealed, 'gh-1-c2'],
  ['under another key', createTokenSeal('rotated'), (sealed: string) => sealed, 'gh-1-c1'],
  ['after a change', ours, (sealed: string) => `${sealed.slice(0, -8)}AAAAAAA=`, 'gh-1-c1'],
  ['when it is not base64', ours, () => '???', 'gh-1-c1'],
  ['when it is empty', ours, () => '', 'gh-1-c1'],
])('opens nothing %s', async (_, seal, bend, owner) => {
  expect(await seal.open(bend(await ours.seal(token, 'gh-1-c1')), owner)).toBeNull();
});
