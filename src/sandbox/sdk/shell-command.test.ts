import { describe, expect, it } from 'vitest';
import { quoteWord, shellCommand, splitInput } from './shell-command.ts';

describe('the shell command of a call', () => {
  it('quotes every word', () => {
    expect(shellCommand(['bash', '/x.sh', "/it's; rm -rf $(x)\n"], [])).toBe(
      `'bash' '/x.sh' '/it'\\''s; rm -rf $(x)\n' </dev/null`,
    );
  });

  it('reads its input from the files, in their order, and deletes them', () => {
    expect(shellCommand(['cat'], ['/a', '/b'])).toBe(`{ cat -- '/a' '/b'; rm -f -- '/a' '/b'; } | 'cat'`);
  });

  it('refuses a NUL', () => {
    expect(() => quoteWord('a\0b')).toThrow(TypeError);
  });
});

describe('the parts of an input', () => {
  const MiB = 1024 * 1024;

  it.each([0, 1, 8 * MiB - 1, 8 * MiB, 8 * MiB + 1, 12 * MiB])(
    'of %i bytes are messages of less than 8 MiB, in order, and none is missing',
    (size) => {
      const bytes = new Uint8Array(size).fill(1);
      bytes.subarray(-256).forEach((_, at, last) => (last[at] = at));
      const parts = splitInput('x', bytes);
      expect(parts.length).toBeGreaterThan(0);
      expect(Math.max(...parts.map(({ base64 }) => base64.length))).toBeLessThan(8 * MiB);
      expect(parts.map(({ path }) => path)).toEqual(parts.map((_, at) => `/var/lib/airlock/input/x.${at}`));
      const joined = parts.map(({ base64 }) => atob(base64)).join('');
      expect(joined).toHaveLength(size);
      expect(Uint8Array.from(joined.slice(-256), (one) => one.charCodeAt(0))).toEqual(bytes.slice(-256));
    },
  );
});
