import { describe, expect, it } from 'vitest';
import { endOfLog, logAddress } from './job-log.ts';

describe('logAddress', () => {
  const storage = 'https://productionresultssa1.blob.core.windows.net/actions-results/a?sig=b';
  it.each([
    ['GitHub’s storage', storage, true],
    ['the host of its pipelines', 'https://pipelines.actions.githubusercontent.com/x/signedlogcontent', true],
    ['the API’s own origin', 'https://github.acme.example/_storage/1', true],
    ['the API’s host without TLS', 'http://github.acme.example/_storage/1', false],
    ['the API’s host on another port', 'https://github.acme.example:8443/_storage/1', false],
    ['another host', 'https://logs.example/1', false],
    ['a host that ends alike', 'https://evilblob.core.windows.net.example/1', false],
    ['a host that is only the suffix’s end', 'https://xblob.core.windows.net/1', false],
    ['GitHub’s storage without TLS', storage.replace('https', 'http'), false],
    ['GitHub’s storage on another port', storage.replace('.net/', '.net:444/'), false],
    ['a name and password', storage.replace('https://', 'https://a:b@'), false],
    ['a local address', 'https://127.0.0.1/1', false],
    ['the metadata address', 'http://169.254.169.254/latest', false],
    ['a file', 'file:///etc/passwd', false],
    ['a relative address', '/_storage/1', false],
    ['nothing', '', false],
  ])('allows or refuses %s', (_, location, allowed) => {
    expect(logAddress(location, 'https://github.acme.example/api/v3') !== null).toBe(allowed);
  });
});

describe('endOfLog', () => {
  const time = '2026-11-30T11:00:00.0000000Z ';
  it('drops times, colors and what comes after the error', () => {
    const log = [
      `\uFEFF${time}##[group]Run npm test`,
      `${time}\u001b[31mnot ok 1\u001b[0m\u0007`,
      `${time}##[error]Process completed with exit code 1.`,
      `${time}Post job cleanup.`,
      '',
    ].join('\r\n');
    expect(endOfLog(log, 500)).toBe(
      '##[group]Run npm test\nnot ok 1\n##[error]Process completed with exit code 1.',
    );
  });

  it('keeps the end, and the whole of a log without an error', () => {
    expect(endOfLog(`${'a\n'.repeat(9_000)}the end`, 20)).toMatch(/^…(?:a\n)+the end$/);
    expect(endOfLog('one\ntwo\n', 500)).toBe('one\ntwo');
    expect(endOfLog('', 500)).toBe('');
  });
});
