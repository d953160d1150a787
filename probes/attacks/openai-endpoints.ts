/**
 * OpenAI's other doors: files, batches, realtime, administration, stored state; and the one open endpoint in
 * other spellings.
 */
import {
  allowed,
  but,
  denial,
  denied,
  get,
  jsonType,
  marker,
  ownToken,
  post,
  request,
  workerdAnswers,
  workerdDecides,
  type Attack,
  type RequestPieces,
} from './attack.ts';
import { openai, sends, validRequest } from './openai-request.ts';

const ownKey = 'authorization: Bearer sk-attackers-own-key';
const path = '/v1/responses';
const valid = JSON.stringify(validRequest());
const body = { text: valid } as const;
const form = 'content-type: multipart/form-data; boundary=x';

const posts = (target: string, more: Partial<RequestPieces> = {}): RequestPieces =>
  post(target, valid, { ...openai, headers: [jsonType], ...more });

/**
 * Each stores, fetches or changes something in an account, which a key of the attacker's own would make
 * theirs.
 */
const closedPaths = [
  'files',
  'batches',
  'uploads',
  'realtime',
  'realtime/sessions',
  'containers',
  'conversations',
  'vector_stores',
  'chat/completions',
  'images/generations',
  'audio/speech',
  'embeddings',
  'alpha/search',
  'responses/resp_0123456789',
  'responses/resp_0123456789/input_items',
  'responses/resp_0123456789/cancel',
  'responses/input_tokens',
  'responses/compact',
  'organization/admin_api_keys',
  'organization/projects',
  'organization/users',
  'fine_tuning/jobs',
  'assistants',
  'threads',
  'evals',
  'webhooks',
  'models/gpt-6.1-sol',
];

export const openaiEndpoints: readonly Attack[] = [
  ...allowed('openai.responses', 'POST api.openai.com/v1/responses', {
    'a request to the model': posts(path),
    'a request to the model over plain HTTP': posts(path, { scheme: 'http' }),
    'a request to the model in chunks': sends(body, 'Transfer-Encoding: chunked'),
    'a request with the attacker’s key, which is replaced': sends(body, ownKey),
    'a request for another organisation and project, which are left out': sends(
      body,
      ownKey,
      'OpenAI-Organization: org-attacker',
      'OpenAI-Project: proj-attacker',
      'OpenAI-Beta: realtime=v1',
      'Cookie: session=attacker',
      'X-Forwarded-Host: attacker.example',
    ),
  }),
  ...allowed('openai.models', '', {
    'the models of the account, of which it gets the task’s own': get('/v1/models', openai),
  }),
  ...denied(
    'openai.path',
    Object.fromEntries(
      closedPaths.flatMap((closed) => [
        [`GET of ${closed} with the attacker’s key`, get(`/v1/${closed}`, { ...openai, headers: [ownKey] })],
        [
          `POST to ${closed} with the attacker’s key`,
          post(`/v1/${closed}`, `{"x":"${marker}"}`, { ...openai, headers: [ownKey, jsonType] }),
        ],
      ]),
    ),
  ),
  ...denied('openai.path', {
    'an upload of a file as a form': post('/v1/files', `--x\r\n\r\n${marker}\r\n--x--`, {
      ...openai,
      headers: [ownKey, form],
    }),
    'the search of Codex, which opens any address': post(
      '/v1/alpha/search',
      '{"url":"https://attacker.example/"}',
      { ...openai, headers: [ownKey, jsonType] },
    ),
    'DELETE of a stored response': request('DELETE', '/v1/responses/resp_0123456789', {
      ...openai,
      headers: [ownKey],
    }),
    'a slash at the end': posts('/v1/responses/'),
    'two slashes': posts('/v1//responses'),
    'two slashes at the beginning': but(posts('//v1/responses'), {
      workerd: workerdDecides(denial('url.host-mismatch')),
    }),
    'a slash as %2f': posts('/v1/responses%2f..%2ffiles'),
    'an escaped letter': posts('/v1/%72esponses'),
    capitals: posts('/V1/Responses'),
    'a version in capitals': posts('/V1/responses'),
  }),
  ...denied('url.not-plain', {
    'dot segments': but(posts('/v1/responses/../files'), { workerd: workerdDecides(denial('openai.path')) }),
    'escaped dot segments': but(posts('/v1/responses/%2e%2e/files'), {
      workerd: workerdDecides(denial('openai.path')),
    }),
  }),
  ...denied('openai.method', {
    'GET of the open endpoint': get(path, openai),
    'GET of the open endpoint as JSON': get(path, { ...openai, headers: [jsonType] }),
    'PUT to the open endpoint': request('PUT', path, { ...openai, headers: [jsonType], body }),
    'DELETE of the models': request('DELETE', '/v1/models', openai),
    ...Object.fromEntries(
      ['TRACE', 'PROPFIND', 'PATCH', 'OPTIONS'].map((method) => [
        `${method} of the open endpoint`,
        request(method, path, { ...openai, headers: [jsonType] }),
      ]),
    ),
    'CONNECT with the path of the open endpoint': but(
      request('CONNECT', path, { ...openai, headers: [jsonType] }),
      { gateway: 'connect', reportedHost: 'api.openai.com', workerd: workerdAnswers(501) },
    ),
    'get of the open endpoint in small letters': but(
      request('get', path, { ...openai, headers: [jsonType] }),
      { gateway: 'malformed', workerd: workerdAnswers(501) },
    ),
    'a method with spaces at the open endpoint': but(
      request('G E T', path, { ...openai, headers: [jsonType] }),
      { gateway: 'malformed', workerd: workerdAnswers(501) },
    ),
    'no method at the open endpoint': but(request('', path, { ...openai, headers: [jsonType] }), {
      only: ['decision'],
    }),
  }),
  ...denied('openai.query', {
    'a query': posts(`${path}?${marker}`),
    'a query with a value': posts(`${path}?x=1`),
    'a query for the models': get('/v1/models?x', openai),
  }),
  ...denied('openai.content-type', {
    'JSON that says it is text': sends(body, 'content-type: text/plain'),
    'JSON that says it is a form': sends(body, form),
    'JSON without a content type': request('POST', path, { ...openai, body }),
  }),
  ...denied('openai.size', {
    'a length above the limit': but(
      request('POST', path, { ...openai, headers: [jsonType, 'content-length: 16777217'] }),
      { only: ['decision'] },
    ),
  }),
  ...denied(
    'host.not-granted',
    Object.fromEntries(
      [
        'api.openai.com.attacker.example',
        'attacker.openai.azure.com',
        'chatgpt.com',
        'ab.chatgpt.com',
        'auth.openai.com',
        'platform.openai.com',
        'files.openai.com',
        'eu.api.openai.com',
      ].map((host) => [`a request to the model on ${host}`, posts(path, { host })]),
    ),
  ),
  ...denied('host.not-granted', {
    'a request to the model on a host with a dot at the end': but(posts(path, { host: 'api.openai.com.' }), {
      gateway: 'host_invalid',
    }),
    'the same service at another provider': posts('/openai/v1/responses', {
      host: 'attacker.openai.azure.com',
      headers: [jsonType, `api-key: ${ownToken}`],
    }),
  }),
];
