import { describe, expect, it } from 'vitest';
import { imageBases, pinned } from './image-base.ts';

const digest = `sha256:${'a1'.repeat(32)}`;
const image = 'docker.io/cloudflare/sandbox:0.12.10';
const other = 'docker.io/library/node:26-trixie-slim';
const file = (...from: readonly string[]) =>
  `# why\n${from.map((one) => `FROM ${one}\nRUN true\n`).join('\n')}`;

describe('imageBases', () => {
  it.each([
    ['an image without a digest', file(image), [{ image, digest: null }]],
    ['an image with a digest', file(`${image}@${digest}`), [{ image, digest }]],
    [
      'a named build stage and an image',
      file(`${other} AS packages`, `${image}@${digest}`),
      [
        { image: other, digest: null },
        { image, digest },
      ],
    ],
    ['an image with an invalid digest', file(`${image}@sha256:abc`), null],
    ['a stage with an option', file(image, `--platform=linux/amd64 ${other}`), null],
    ['a Dockerfile without FROM', 'RUN true\n', null],
  ])('parses %s', (_, dockerfile, expected) => {
    expect(imageBases(dockerfile)).toEqual(expected);
  });
});

describe('pinned', () => {
  it.each([
    ['adds a digest', file(image), digest, file(`${image}@${digest}`)],
    ['replaces a digest', file(`${image}@sha256:${'0'.repeat(64)}`), digest, file(`${image}@${digest}`)],
    [
      'keeps the name of a stage',
      file(`${image} AS a`, image),
      digest,
      file(`${image}@${digest} AS a`, `${image}@${digest}`),
    ],
    ['refuses an incomplete digest', file(image), 'sha256:abc', null],
    ['refuses an error message as digest', file(image), 'ERROR: not found', null],
    ['refuses an image whose digest it does not know', file(image, other), digest, null],
    ['refuses a Dockerfile without FROM', 'RUN true\n', digest, null],
  ])('%s', (_, dockerfile, given, expected) => {
    expect(pinned(dockerfile, new Map([[image, given]]))).toBe(expected);
  });
});
