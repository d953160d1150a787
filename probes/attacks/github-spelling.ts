/**
 * The one open door of github.com in odd spellings: paths, names, queries, methods and headers around `git
 * fetch`.
 */
import {
  allowed,
  but,
  denial,
  denied,
  fetched,
  get,
  infoRefs,
  marker,
  packType,
  post,
  reachedRefs,
  refs,
  repository,
  request,
  wanted,
  workerdAnswers,
  workerdDecides,
  type Attack,
} from './attack.ts';

/** Of one machine's gateway, where a target has a character that no URL may have. */
const foreign = { gateway: 'target_invalid', reportedHost: 'github.com' };

export const githubSpelling: readonly Attack[] = [
  ...allowed('github.info-refs', reachedRefs, {
    'other capitals: the same repository for GitHub and for us': get(`/ACME/Split-Bill.GIT${infoRefs}`),
    'capitals without the suffix': get(`/ACME/SPLIT-BILL${infoRefs}`),
  }),

  ...denied('url.not-plain', {
    'dot segments that lead to the attacker’s repository': but(
      get(`${repository}/../../attacker/loot.git${infoRefs}`),
      { workerd: workerdDecides(denial('github.repository')) },
    ),
    'dot segments without the suffix': but(get(`/acme/split-bill/../../attacker/loot${infoRefs}`), {
      workerd: workerdDecides(denial('github.repository')),
    }),
    'dot segments that lead back to the granted repository': but(
      get(`/attacker/../acme/split-bill.git${infoRefs}`),
      { workerd: workerdDecides(fetched) },
    ),
    'dot segments that lead back from the attacker’s repository': but(
      get(`/attacker/loot/../../acme/split-bill.git${infoRefs}`),
      { workerd: workerdDecides(fetched) },
    ),
    'escaped dot segments that lead to the attacker’s repository': but(
      get(`${repository}/%2e%2e/%2e%2e/attacker/loot.git${infoRefs}`),
      { workerd: workerdDecides(denial('github.repository')) },
    ),
    'an escaped dot segment in the repository’s path': but(get(`/acme/split-bill/%2e%2e/loot${infoRefs}`), {
      workerd: workerdDecides(denial('github.repository')),
    }),
    'an escaped dot segment with capitals': but(get(`/acme/%2E%2e/loot${infoRefs}`), {
      workerd: workerdDecides(denial('github.path')),
    }),
    'a segment that is one dot': but(get(`/acme/split-bill/./${infoRefs}`), {
      workerd: workerdDecides(denial('github.path')),
    }),
  }),
  ...denied('github.path', {
    'the slash behind the owner as %2f': get(`/acme%2fsplit-bill.git${infoRefs}`),
    'the slash behind the owner as %2f without the suffix': get(`/acme%2fsplit-bill${infoRefs}`),
    'the attacker’s repository behind escaped slashes': get(
      `${repository}%2f..%2f..%2fattacker%2floot.git${infoRefs}`,
    ),
    'an escape of an escape': get(`/acme/%252e%252e${infoRefs}`),
    'an escaped letter in the owner': get(`/%61cme/split-bill${infoRefs}`),
    'an escaped letter in the name': get(`/acme/split-bil%6c.git${infoRefs}`),
    'an escaped question mark': get(`${repository}/info/refs%3fservice=git-upload-pack`),
    'two slashes before the owner': but(get(`/${refs}`), {
      workerd: workerdDecides(denial('url.host-mismatch')),
    }),
    'two slashes before the owner without the suffix': but(get(`//acme/split-bill${infoRefs}`), {
      workerd: workerdDecides(denial('url.host-mismatch')),
    }),
    'a host at the beginning of the path': but(get(`//attacker.example${refs}`), {
      workerd: workerdDecides(denial('url.host-mismatch')),
    }),
    'two slashes between owner and name': get(`/acme//split-bill.git${infoRefs}`),
    'two slashes between them without the suffix': get(`/acme//split-bill${infoRefs}`),
    'two slashes behind the name': get(`/acme/split-bill/${infoRefs}`),
    'a parameter in the path': get(`${repository};x=1${infoRefs}`),
    'a parameter without a value': get(`/acme/split-bill;x${infoRefs}`),
    'an escaped NUL behind the suffix': get(`${repository}%00${infoRefs}`),
    'an escaped NUL behind the name': get(`/acme/split-bill%00${infoRefs}`),
    'an escaped space behind the name': get(`/acme/split-bill%20${infoRefs}`),
  }),
  ...denied('github.repository', {
    'a dot at the end of the name': get(`/acme/split-bill.${infoRefs}`),
    'the suffix twice': get(`/acme/split-bill.git.git${infoRefs}`),
    'a name that begins like the granted one': get(`/acme/split-bill-loot${infoRefs}`),
    'a name with a number behind the granted one': get(`/acme/split-bill-2${infoRefs}`),
    'a name with a word and the suffix behind the granted one': get(
      `/acme/split-bill-private.git${infoRefs}`,
    ),
    'an owner whose name begins like the granted one': get(`/acme-loot/split-bill${infoRefs}`),
  }),
  ...denied('github.query', {
    'a service in capitals': get(`${repository}/info/refs?service=GIT-UPLOAD-PACK`),
    'a parameter in capitals': get(`${repository}/info/refs?Service=git-upload-pack`),
    'the archive service': get(`${repository}/info/refs?service=git-upload-archive`),
    'the service with an escape': get(`${repository}/info/refs?service=git%2dupload-pack`),
    'the push service with escapes': get(`${repository}/info/refs?service=git%2Dreceive%2Dpack`),
    'two question marks': get('/acme/split-bill/info/refs??service=git-upload-pack'),
    'an escaped line end and a header behind it': get(`${refs}%0d%0aHost:%20attacker.example`),
    'upload-pack with a query': post(`${repository}/git-upload-pack?${marker}`, wanted, {
      headers: [packType],
    }),
    'upload-pack with a short query': post(`${repository}/git-upload-pack?x`, wanted, {
      headers: [packType],
    }),
  }),
  ...denied('url.characters', {
    'a backslash between owner and name': but(get(`/acme\\split-bill${infoRefs}`), {
      ...foreign,
      workerd: workerdDecides(fetched),
    }),
    'a backslash between them with the suffix': but(get(`/acme\\split-bill.git${infoRefs}`), {
      ...foreign,
      workerd: workerdDecides(fetched),
    }),
    'backslashes that lead back to the granted repository': but(
      get(`/attacker\\..\\acme/split-bill.git${infoRefs}`),
      { ...foreign, workerd: workerdDecides(fetched) },
    ),
    'a tab': but(get(`/acme/split-bill\t${infoRefs}`), {
      gateway: 'malformed',
      workerd: workerdDecides(denial('github.path')),
    }),
    'a line end and a header': but(get(`/acme/split-bill${infoRefs}\r\nx: y`), { only: ['decision'] }),
    'a letter beyond ASCII': but(get(`/acme/split-bıll${infoRefs}`), {
      gateway: 'malformed',
      workerd: workerdDecides(denial('github.path')),
    }),
    'a byte beyond ASCII': but(get(`/acme/split-bill\xff.git${infoRefs}`), {
      gateway: 'malformed',
      workerd: workerdDecides(denial('github.path')),
    }),
    'a space before the query': but(get('/acme/split-bill.git/info/refs ?service=git-upload-pack'), {
      gateway: 'malformed',
      workerd: workerdDecides(denial('github.query')),
    }),
  }),
  ...denied(
    'url.characters',
    {
      // workerd escapes some of them before our handler on Cloudflare sees them.
      ...Object.fromEntries(
        ['<', '>', '`', '"', '{', '}', '^', '|', '[', ']', '%zz', '%'].map((text, at) => [
          `${text} in a path`,
          but(
            get(`/acme/split${text}bill${infoRefs}`),
            at < 7 ? { workerd: workerdDecides(denial('github.path')) } : {},
          ),
        ]),
      ),
      ...Object.fromEntries(
        ['<', '>', '"', '`', '{', '|', '[', '%0'].map((text, at) => [
          `${text} in a query`,
          but(get(`${refs}&x=${text}`), at < 3 ? { workerd: workerdDecides(denial('github.query')) } : {}),
        ]),
      ),
    },
    foreign,
  ),
  ...denied(
    'url.fragment',
    {
      'a fragment': get(`${refs}#x`),
      'a fragment without the suffix': get(`/acme/split-bill${infoRefs}#x`),
      'the service behind a fragment': get(`/acme/split-bill#${infoRefs}`),
    },
    { gateway: 'target_invalid', reportedHost: 'github.com' },
  ),
  ...denied('url.length', {
    'a path of 8 KB': get(`/${'a'.repeat(8_200)}`),
    'a path of 60 KB on another host': get(`/${'a'.repeat(60_000)}`, {
      scheme: 'http',
      host: 'attacker.example',
    }),
  }),

  ...denied('github.method', {
    // The answer has no body that could name the rule.
    'HEAD of the refs': but(request('HEAD', refs), { inside: ['403'] }),
    'POST of the refs': post(refs, wanted, { headers: [packType] }),
    'DELETE of the refs': request('DELETE', `${repository}/info/refs`),
    'GET of a pack': get(`${repository}/git-upload-pack`),
    'PUT of a pack': request('PUT', `${repository}/git-upload-pack`, {
      headers: [packType],
      body: { text: wanted },
    }),
    'TRACE, which would show the added headers': request('TRACE', refs),
    ...Object.fromEntries(
      ['PROPFIND', 'PATCH', 'OPTIONS'].map((method) => [`${method} of the refs`, request(method, refs)]),
    ),
    ...Object.fromEntries(
      ['BIND', 'LINK', 'M-SEARCH', 'MKCALENDAR', 'REBIND', 'SOURCE', 'UNBIND', 'UNLINK'].map((method) => [
        `${method}, which workerd does not know`,
        but(request(method, refs), {
          gateway: 'method_unknown',
          reportedHost: 'github.com',
          workerd: workerdAnswers(501),
        }),
      ]),
    ),
    'get in small letters': but(request('get', refs), { gateway: 'malformed', workerd: workerdAnswers(501) }),
    'an unknown method': but(request('BREW', refs), {
      gateway: 'malformed',
      workerd: workerdAnswers(501),
    }),
    'CONNECT with a path': but(request('CONNECT', refs), {
      gateway: 'connect',
      reportedHost: 'github.com',
      workerd: workerdAnswers(501),
    }),
    'a method with spaces': but(request('G E T', refs), {
      gateway: 'malformed',
      workerd: workerdAnswers(501),
    }),
    'no method': but(request('', refs), { only: ['decision'] }),
  }),
  ...denied('http.body', {
    'a body at the start of a fetch': get(refs, { body: { text: 'secret' } }),
    'a body in chunks at the start of a fetch': get(refs, {
      headers: ['Transfer-Encoding: chunked'],
      body: { text: 'secret' },
    }),
  }),
  ...denied('github.content-type', {
    'upload-pack as JSON': post(`${repository}/git-upload-pack`, wanted, {
      headers: ['content-type: application/json'],
    }),
    'upload-pack without a content type': post(`${repository}/git-upload-pack`, wanted),
    'upload-pack with the content type of a push': post(`${repository}/git-upload-pack`, wanted, {
      headers: ['content-type: application/x-git-receive-pack-request'],
    }),
  }),
  ...denied('github.encoding', {
    'upload-pack compressed with Brotli': post(`${repository}/git-upload-pack`, wanted, {
      headers: [packType, 'content-encoding: br'],
    }),
  }),
];
