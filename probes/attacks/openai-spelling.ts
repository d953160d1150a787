/** Bodies that two readers could read in two ways: duplicate keys, escapes, encodings, bombs, broken ends. */
import {
  but,
  decidedAs,
  denial,
  denied,
  head,
  jsonType,
  secure,
  workerdDecides,
  type Attack,
} from './attack.ts';
import { sends, validRequest, withRaw } from './openai-request.ts';

const MiB = 1024 * 1024;
const text = JSON.stringify(validRequest('hi'));
const says = (body: string) => sends({ text: body });
/** One character is one byte. */
const bytes = (body: string) => sends({ base64: btoa(body) });
const field = '"store":false';
const pictured = (raw: string) =>
  text.replace('{"type":"input_text"', `{"type":"input_image",${raw}},{"type":"input_text"`);
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
/** A sender that does not stop may be cut off before the answer arrives. */
const cutOff = ['400 openai.size', '503 unavailable', 'curl error 55', 'curl error 56'];
const giant = { repeat: ' '.repeat(1_024), times: 36 * 1_024, before: text.slice(0, -1), after: '}' };

export const openaiSpelling: readonly Attack[] = [
  ...denied('openai.duplicate-key', {
    'store twice, true last': says(withRaw('"store":true')),
    'store twice, true first': says(withRaw('"store":true', 'first')),
    'store twice, true right before false': says(text.replace(field, `"store":true,${field}`)),
    'store twice, true right behind false': says(text.replace(field, `${field},"store":true`)),
    'store once more with an escape': says(withRaw('"st\\u006fre":true')),
    'store once more with an escape, right behind': says(text.replace(field, `${field},"st\\u006fre":true`)),
    'store once more with spaces': says(text.replace(field, `${field},"store" \n\t\r:true`)),
    'the model twice': says(withRaw('"model":"gpt-6.1-pro"')),
    'the tools twice, hosted ones first': says(withRaw('"tools":[{"type":"web_search"}]', 'first')),
    'hosted tools under an escaped name': says(withRaw('"too\\u006cs":[{"type":"web_search"}]')),
    'the type of a part twice': says(text.replace('"text":"hi"', '"text":"hi","type":"input_file"')),
    'the address of an image twice, inline data first': says(
      pictured('"image_url":"data:image/png;base64,AA==","image_url":"https://attacker.example/"'),
    ),
    'the address of an image twice, inline data last': says(
      pictured('"image_url":"https://attacker.example/","image_url":"data:image/png;base64,AA=="'),
    ),
    'a __proto__ that brings fields along': says(withRaw('"__proto__":{"store":true}')),
    'a __proto__ right behind store': says(text.replace(field, `${field},"__proto__":{"store":true}`)),
    'a __proto__ with an escape': says(text.replace(field, `${field},"\\u005f_proto__":{}`)),
    'a __proto__ in an item': says(pictured('"__proto__":{"file_url":"https://attacker.example/"}')),
  }),
  ...denied('openai.field', {
    'Store with a capital': says(withRaw('"Store":true')),
    'store with a space': says(withRaw('"store ":true')),
    'store with an invisible character': says(withRaw('"store\\u200b":true')),
    'a constructor': says(text.replace(field, `${field},"constructor":{}`)),
  }),
  ...denied('openai.tool', {
    'a hosted tool whose type is escaped': says(
      text.replace('"tools":[]', '"tools":[{"type":"web\\u005fsearch"}]'),
    ),
  }),
  ...denied('openai.remote', {
    'the address of a file under an escaped key': says(
      pictured('"file\\u005furl":"https://attacker.example/"'),
    ),
    'the address of an image that is escaped': says(
      pictured('"image_url":"\\u0068ttps://attacker.example/"'),
    ),
  }),
  ...denied('openai.utf8', {
    'a byte order mark': says(`\ufeff${text}`),
    'bytes that are no UTF-8 within': bytes(`${text.slice(0, -1)}\xff\xfe}`),
    'a byte that is no UTF-8 at the end': bytes(`${text}\xff`),
    'an overlong encoding': bytes('{\xc0\xa2'),
    'gzip that does not say so': sends({ gzip: { text } }),
    'the beginning of gzip': bytes('\x1f\x8b\x08\0\0\0\0\0'),
  }),
  ...denied('openai.json', {
    'a second document behind the first': says(`${text}${text}`),
    'a comment before the document': says(`/* */${text}`),
    'a comment within': says(text.replace('{', '{/*x*/')),
    'a comma at the end': says(text.replace(/\}$/, ',}')),
    'NaN as a field': says(withRaw('"top_p":NaN')),
    'NaN as a text': says(text.replace('"hi"', 'NaN')),
    'a raw line feed in a text': says(text.replace('hi', 'h\ni')),
    'an open text': says('{"model":"'),
    'a document without its end': says(text.slice(0, -2)),
    nothing: says(''),
    'UTF-16 that says so': sends(
      { base64: btoa(text.replaceAll(/./g, '$&\0')) },
      'content-type: application/json; charset=utf-16',
    ),
    'UTF-16': bytes(text.replaceAll(/./g, '$&\0')),
  }),
  ...denied('openai.number', { 'an infinite number': says(text.replace('"text":"hi"', '"text":1e999')) }),
  ...denied('openai.text', {
    'half of a surrogate pair': says(text.replace('"hi"', '"\\ud83d"')),
    'half of a surrogate pair in a key': says(text.replace('"text":', '"t\\udc00ext":')),
  }),
  ...denied('openai.depth', {
    'a thousand levels in a text': says(text.replace('"hi"', nested(1_000))),
    'a thousand levels in a field': sends({
      repeat: '{"a":',
      times: 1_000,
      before: `${text.slice(0, -1)},"reasoning":`,
      after: `1${'}'.repeat(1_000)}}`,
    }),
    'a hundred thousand brackets': sends({ repeat: '[', times: 100_000, after: ']'.repeat(100_000) }),
    'a million brackets that stay open': sends({ repeat: '[', times: 1_000_000 }),
  }),
  ...denied('openai.values', {
    'a million values in the input': sends({ repeat: '1,', times: MiB, before: '{"input":[', after: '1]}' }),
    'a million values in the metadata': sends({
      repeat: '1,',
      times: MiB,
      before: withRaw('"client_metadata":[').slice(0, -1),
      after: '1]}',
    }),
  }),
  ...denied('openai.encoding', {
    gzip: sends({ gzip: { text } }, 'content-encoding: gzip'),
    'a gzip bomb of 512 MiB': but(sends({ gzip: { zeros: 512 * MiB } }, 'content-encoding: gzip'), {
      only: ['inside'],
    }),
    ...Object.fromEntries(
      ['deflate', 'br', 'zstd', 'gzip, gzip', 'x-gzip', 'identity, gzip'].map((name) => [
        `plain JSON that says it is ${name}`,
        sends({ text }, `content-encoding: ${name}`),
      ]),
    ),
  }),
  ...denied('openai.size', {
    'a body above the limit': but(sends(giant), { only: ['inside'], inside: cutOff }),
    'a body above the limit in chunks': but(sends(giant, 'transfer-encoding: chunked'), {
      only: ['inside'],
      inside: cutOff,
    }),
  }),
  ...decidedAs([denial('openai.size')], {
    'a body that ends early': but(
      secure(
        [
          {
            send: `${head(
              'POST /v1/responses HTTP/1.1',
              'Host: api.openai.com',
              jsonType,
              `Content-Length: ${text.length * 2}`,
            )}${text}`,
          },
          { waitMs: 100 },
          { end: true },
        ],
        { servername: 'api.openai.com' },
      ),
      {
        // The connection may be gone before the answer.
        inside: ['400 openai.size, closed', '400 openai.json, closed', 'closed', '400 malformed, closed'],
      },
    ),
    'chunks that end early': but(
      secure(
        [
          {
            send: `${head(
              'POST /v1/responses HTTP/1.1',
              'Host: api.openai.com',
              jsonType,
              'Transfer-Encoding: chunked',
            )}${text.length.toString(16)}\r\n{"mo`,
          },
          { waitMs: 100 },
          { end: true },
        ],
        { servername: 'api.openai.com' },
      ),
      { inside: ['400 openai.size, closed', '400 openai.json, closed', 'closed', '400 malformed, closed'] },
    ),
  }),
  ...decidedAs([denial('openai.field')], {
    'a request behind a body that is longer than it says': but(
      secure(
        `${head('POST /v1/responses HTTP/1.1', 'Host: api.openai.com', jsonType, 'Content-Length: 2')}{}${head(
          'GET /secret HTTP/1.1',
          'Host: attacker.example',
        )}`,
        { servername: 'api.openai.com' },
      ),
      {
        gateway: 'sni_mismatch',
        reportedHost: 'attacker.example',
        workerd: workerdDecides(denial('openai.field'), denial('host.not-granted')),
      },
    ),
  }),
];
