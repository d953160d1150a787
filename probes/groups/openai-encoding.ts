/**
 * Bodies that two readers could read in two ways: duplicate keys, escapes, encodings, bombs, broken ends. What is refused never went
 * upstream; what is allowed went there as it was decided, which the check of the upstream's log shows.
 */
import { curl, type Group, type Place, type Probe } from '../probe.ts';
import type { Body } from '../inside/plan.mts';
import { validBody, withRaw } from './openai-bodies.ts';

const twice = '400 openai.duplicate-key';
const field = ['400 openai.field', '400 openai.json', twice] as const;
const json = ['400 openai.json', '400 openai.field', '400 openai.utf8', twice] as const;
const encoding = ['400 openai.encoding'] as const;
const MiB = 1024 * 1024;
/** Whoever sends without end may be cut off before he hears why. */
const size = ['400 openai.size', '503 unavailable', 'curl error 55', 'curl error 56'] as const;
const remote = ['400 openai.remote', '400 openai.json', '400 openai.item', twice] as const;

export const openaiEncoding: Group = {
  name: 'openai-encoding',
  about: 'one body, two readings',
  probes: (place: Place): readonly Probe[] => {
    const send = (
      id: string,
      attack: string,
      body: Body,
      expected: readonly string[],
      headers: readonly string[] = [],
      more: Partial<Probe> = {},
    ) =>
      curl(
        id,
        attack,
        [
          '-H',
          'expect:',
          ...(headers.some((header) => header.startsWith('content-type'))
            ? []
            : ['-H', 'content-type: application/json']),
          ...headers.flatMap((header) => ['-H', header]),
          'https://api.openai.com/v1/responses',
        ],
        expected,
        {
          body,
          ...more,
        },
      );
    const valid = validBody(place.model, place.marker);
    const text = JSON.stringify(valid);
    const image = (raw: string) =>
      text.replace('{"type":"input_text"', `{"type":"input_image",${raw}},{"type":"input_text"`);
    return [
      send('store-last', 'store twice, true at last', { text: withRaw(valid, '"store":true') }, field),
      send(
        'store-first',
        'store twice, true at first: sent as decided, if at all',
        { text: withRaw(valid, '"store":true', 'first') },
        [...json, '200'],
        [],
        { reachesUpstream: true, lane: 'openai' },
      ),
      send(
        'store-escaped',
        'store once more, spelled with an escape',
        { text: withRaw(valid, '"st\\u006fre":true') },
        field,
      ),
      send(
        'store-capitals',
        'Store, for a reader that does not mind capitals',
        { text: withRaw(valid, '"Store":true') },
        field,
      ),
      send('store-space', 'store with a space', { text: withRaw(valid, '"store ":true') }, field),
      send(
        'store-bidi',
        'store with an invisible character',
        { text: withRaw(valid, '"store\\u200b":true') },
        field,
      ),
      send('model-twice', 'the model twice', { text: withRaw(valid, '"model":"gpt-6.1-pro"') }, [
        '400 openai.model',
        '400 openai.json',
        twice,
      ]),
      send(
        'tools-twice',
        'the tools twice, hosted ones at first: sent as decided, if at all',
        { text: withRaw(valid, '"tools":[{"type":"web_search"}]', 'first') },
        [...json, '200'],
        [],
        { reachesUpstream: true, lane: 'openai' },
      ),
      send(
        'tools-escaped',
        'hosted tools under an escaped name',
        { text: withRaw(valid, '"too\\u006cs":[{"type":"web_search"}]') },
        ['400 openai.tool', '400 openai.json', twice],
      ),
      send(
        'tool-escaped',
        'a hosted tool whose type is escaped',
        { text: text.replace('"tools":[]', '"tools":[{"type":"web\\u005fsearch"}]') },
        ['400 openai.tool'],
      ),
      send(
        'url-escaped',
        'a file’s address under an escaped key',
        { text: image('"file\\u005furl":"https://attacker.example/"') },
        remote,
      ),
      send(
        'url-value-escaped',
        'an image’s address that is escaped',
        { text: image('"image_url":"\\u0068ttps://attacker.example/"') },
        remote,
      ),
      send(
        'url-twice',
        'an image’s address twice, whole data at first',
        { text: image('"image_url":"data:image/png;base64,AA==","image_url":"https://attacker.example/"') },
        remote,
      ),
      send(
        'url-twice-last',
        'the same, whole data at last: sent as decided, if at all',
        { text: image('"image_url":"https://attacker.example/","image_url":"data:image/png;base64,AA=="') },
        [...json, '400 openai.item', '200'],
        [],
        { reachesUpstream: true, lane: 'openai' },
      ),
      send(
        'proto',
        'a __proto__ that would bring fields along',
        { text: withRaw(valid, '"__proto__":{"store":true}') },
        field,
      ),
      send(
        'proto-input',
        'the same in an item',
        { text: image('"__proto__":{"file_url":"https://attacker.example/"}') },
        [...remote, '400 openai.field'],
      ),
      send(
        'bom',
        'a byte order mark: sent as decided, if at all',
        { text: `\ufeff${text}` },
        [...json, '200'],
        [],
        { reachesUpstream: true, lane: 'openai' },
      ),
      send('trailing', 'a second document behind the first', { text: `${text}${text}` }, json),
      send('comment', 'a comment', { text: `/* */${text}` }, json),
      send('nan', 'a number that JSON does not have', { text: withRaw(valid, '"top_p":NaN') }, json),
      send('utf16', 'UTF-16', { base64: Buffer.from(text, 'utf16le').toString('base64') }, json, [
        'content-type: application/json; charset=utf-16',
      ]),
      send(
        'not-utf8',
        'bytes that are no UTF-8',
        {
          base64: Buffer.concat([
            Buffer.from(text.slice(0, -1)),
            Buffer.from([0xff, 0xfe]),
            Buffer.from('}'),
          ]).toString('base64'),
        },
        json,
      ),
      send('array', 'a list of requests', { text: `[${text}]` }, field),
      send('empty', 'nothing', { text: '' }, json),
      send(
        'deep',
        'a hundred thousand brackets',
        { repeat: '[', times: 100_000, after: ']'.repeat(100_000) },
        [...field, '400 openai.depth', '400 openai.size'],
      ),
      send(
        'deep-input',
        'a valid request with an input nested a thousand deep',
        {
          repeat: '{"a":',
          times: 1_000,
          before: `${text.slice(0, -1)},"reasoning":`,
          after: `1${'}'.repeat(1_000)}}`,
        },
        ['400 openai.depth', '400 openai.json', '400 openai.field', '400 openai.size'],
      ),
      send('gzip', 'gzip', { gzip: { text } }, encoding, ['content-encoding: gzip']),
      send('gzip-silent', 'gzip that does not say so', { gzip: { text } }, json),
      send(
        'gzip-bomb',
        'a gzip bomb: 512 MiB in half of one',
        { gzip: { zeros: 512 * MiB } },
        encoding,
        ['content-encoding: gzip'],
        { lane: 'bulk', timeoutMs: 30_000 },
      ),
      ...['deflate', 'br', 'zstd', 'gzip, gzip', 'x-gzip', 'identity, gzip'].map((name) =>
        send(`encoding-${name.replaceAll(/\W+/g, '-')}`, `content-encoding: ${name}`, { text }, encoding, [
          `content-encoding: ${name}`,
        ]),
      ),
      send(
        'oversized',
        'a body above the limit',
        { repeat: ' '.repeat(1_024), times: 36 * 1_024, before: text.slice(0, -1), after: '}' },
        size,
        [],
        { lane: 'bulk', timeoutMs: 30_000 },
      ),
      send(
        'oversized-chunked',
        'the same in chunks, without a length',
        { repeat: ' '.repeat(1_024), times: 36 * 1_024, before: text.slice(0, -1), after: '}' },
        size,
        ['transfer-encoding: chunked'],
        { lane: 'bulk', timeoutMs: 30_000 },
      ),
      send(
        'many-values',
        'a million small values',
        {
          repeat: '1,',
          times: MiB,
          before: withRaw(valid, '"client_metadata":[').slice(0, -1),
          after: '1]}',
        },
        [...field, ...size, '400 openai.values'],
        [],
        { lane: 'bulk', timeoutMs: 30_000 },
      ),
      {
        id: 'truncated',
        attack: 'a body that breaks off: half of what its length says',
        // Nobody is left to be answered once the sender has hung up; upstream's log shows that nothing went on.
        expected: ['400 openai.size, closed', '400 openai.json, closed', 'closed', '400 malformed, closed'],
        program: {
          kind: 'wire',
          port: 443,
          tls: { servername: 'api.openai.com' },
          steps: [
            {
              send: `POST /v1/responses HTTP/1.1\r\nHost: api.openai.com\r\nContent-Type: application/json\r\nContent-Length: ${text.length * 2}\r\n\r\n${text}`,
            },
            { waitMs: 100 },
            { end: true },
          ],
        },
      },
    ];
  },
};
