import { describe, expect, it } from 'vitest';
import { imageBase, pinned } from './image-base.ts';

const digest = `sha256:${'a1'.repeat(32)}`;
const image = 'docker.io/cloudflare/sandbox:0.12.10';
const file = (from: string) => `# why\nFROM ${from}\nRUN true\n`;

describe('imageBase', () => {
  it.each([
    ['an image without a digest', file(image), { image, digest: null }],
    ['an image with a digest', file(`${image}@${digest}`), { image, digest }],
    ['an image with an invalid digest', file(`${image}@sha256:abc`), null],
    ['a Dockerfile without FROM', 'RUN true\n', null],
    ['a named build stage', file(`${image} AS base`), null],
  ])('parses %s', (_, dockerfile, expected) => {
    expect(imageBase(dockerfile)).toEqual(expected);
  });
});

describe('pinned', () => {
  it.each([
    ['adds a digest', file(image), digest, file(`${image}@${digest}`)],
    ['replaces a digest', file(`${image}@sha256:${'0'.repeat(64)}`), digest, file(`${image}@${digest}`)],
    ['refuses an incomplete digest', file(image), 'sha256:abc', null],
    ['refuses an error message as digest', file(image), 'ERROR: not found', null],
    ['refuses a Dockerfile without FROM', 'RUN true\n', digest, null],
  ])('%s', (_, dockerfile, given, expected) => {
    expect(pinned(dockerfile, given)).toBe(expected);
  });
});
