import { describe, expect, it } from 'vitest';
import { changeHash } from './change-hash.ts';

describe('changeHash', () => {
  it('returns the hex SHA-256 of the text in UTF-8', async () => {
    // From `printf 'ünïcode\\n' | sha256sum` and `printf '' | sha256sum`.
    expect(await changeHash('ünïcode\n')).toBe(
      'ae9e6bb70a6c32068bb5d28bc264bdfd670f0e373516ad1aec628913590459cb',
    );
    expect(await changeHash('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });

  it.each(['a\n ', 'a', 'a\r\n', 'A\n'])('differs between %j and "a\\n"', async (other) => {
    expect(await changeHash(other)).not.toBe(await changeHash('a\n'));
  });
});
