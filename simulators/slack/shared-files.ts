/**
 * Files that people share: their documents, `files.info`, and the host that serves them to holders of
 * `files:read`. Everybody else gets Slack's sign-in page, with status 200.
 * https://docs.slack.dev/reference/objects/file-object
 */
import type { Context } from 'hono';
import type { SharedFile } from './contract.ts';
import { missingScope, refuse, text, type Method } from './methods/call.ts';
import type { Site, StoredFile } from './site.ts';
import type { Person } from './workspace.ts';

const mimetypes: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  svg: 'image/svg+xml',
  txt: 'text/plain',
  log: 'text/plain',
};

/** Stores a file and returns its document, as it is in messages too. */
export function shareFile(site: Site, person: Person, shared: string | SharedFile): StoredFile['document'] {
  const { name, content = 'x', mode = 'hosted' } = typeof shared === 'string' ? { name: shared } : shared;
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const id = `F${String(site.files.size + 1).padStart(9, '0')}`;
  const filetype = /\.(\w{1,10})$/.exec(name)?.[1] ?? 'text';
  const address = `${site.url}/files-pri/${site.workspace.teamId}-${id}`;
  const safeName = encodeURIComponent(name.toLowerCase().replaceAll(/[^\w.]/g, '_'));
  const document: StoredFile['document'] = {
    id,
    name,
    title: name,
    filetype,
    mimetype: mimetypes[filetype] ?? (mode === 'snippet' ? 'text/plain' : 'application/octet-stream'),
    user: person.id,
    user_team: person.teamId,
    mode,
    is_external: mode === 'external',
    size: bytes.length,
    ...(mode === 'external'
      ? { url_private: 'https://drive.example/file' }
      : { url_private: `${address}/${safeName}`, url_private_download: `${address}/download/${safeName}` }),
  };
  site.files.set(id, { document, bytes });
  return document;
}

const info: Method = async (call) => {
  const refusal = missingScope(call.site, 'files:read');
  if (refusal !== null) return await Promise.resolve(refusal);
  const found = call.site.files.get(text(call, 'file'));
  return found === undefined ? refuse('file_not_found') : { ok: true, file: { ...found.document } };
};
export const fileMethods: Readonly<Record<string, Method>> = { 'files.info': info };

/** `GET /files-pri/T…-F…/…` */
export function serveFile(site: Site, c: Context): Response {
  const id = /^T\w+-(F\w+)$/.exec(c.req.param('file') ?? '')?.[1] ?? '';
  const found = site.files.get(id);
  const isReader =
    c.req.header('authorization') === `Bearer ${site.botToken}` && site.botScopes.includes('files:read');
  if (!isReader || found === undefined)
    return c.html('<!DOCTYPE html><html lang="en-US"><head><title>Sign in | Slack</title></head></html>');
  return c.body(found.bytes, 200, { 'content-type': found.document.mimetype ?? '' });
}
