import { describe, expect, it } from 'vitest';
import { imageBase, pinned } from './image-base.ts';

const digest = `sha256:${'a1'.repeat(32)}`;
const image = 'docker.io/cloudflare/sandbox:0.12.10';
const file = (from: string) => `# why\nFROM ${from}\nRUN true\n`;

describe('the base of an image', () => {
  it.each([
    ['without a digest', file(image), { image, digest: null }],
    ['with its digest', file(`${image}@${digest}`), { image, digest }],
    ['with something else for a digest', file(`${image}@sha256:abc`), null],
    ['of nothing', 'RUN true\n', null],
    ['with a name for the stage', file(`${image} AS base`), null],
  ])('%s', (_, dockerfile, expected) => {
    expect(imageBase(dockerfile)).toEqual(expected);
  });

  it.each([
    ['gets a digest', file(image), digest, file(`${image}@${digest}`)],
    ['gets another one', file(`${image}@sha256:${'0'.repeat(64)}`), digest, file(`${image}@${digest}`)],
    ['takes no half digest', file(image), 'sha256:abc', null],
    ['takes no error message', file(image), 'ERROR: not found', null],
    ['has to be there', 'RUN true\n', digest, null],
  ])('%s', (_, dockerfile, given, expected) => {
    expect(pinned(dockerfile, given)).toBe(expected);
  });
});
