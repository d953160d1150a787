/** Serves attachments, and shows those of a text at their signed addresses. */
import type { Context, Hono } from 'hono';
import type { HttpBindings } from '@hono/node-server';
import { decideAccess, identify } from './access.ts';
import type { Site } from './site.ts';

/** Signs the images of a text, and leads those of other websites through GitHub's proxy. */
export function withSignedImages(site: Site, html: string): string {
  return html.replace(/<img\b[^>]*?\bsrc="([^"]*)"[^>]*>/g, (image: string, src: string) => {
    const id = src.startsWith(`${site.url}/`)
      ? /\/user-attachments\/assets\/([\w-]+)$/.exec(src)?.[1]
      : undefined;
    const upload = id === undefined ? null : site.attachments.find(id);
    if (upload === null) {
      if (src === '' || src.startsWith(`${site.url}/`)) return image;
      const proxied = `https://camo.githubusercontent.com/${Buffer.from(src).toString('hex')}`;
      return image.replace(`src="${src}"`, `src="${proxied}" data-canonical-src="${src}"`);
    }
    const signed = `${site.url}${site.attachments.sign(upload)}`;
    return `<a target="_blank" rel="noopener noreferrer" href="${signed}">${image.replace(src, signed)}</a>`;
  });
}

export function attachmentRoutes(site: Site, web: Hono<{ Bindings: HttpBindings }>): void {
  const upload = async (c: Context): Promise<Response> => {
    const found = site.attachments.find(c.req.param('id') ?? '');
    const caller = identify(c.req.header('authorization'), site, Date.now());
    const need = { anyOf: ['contents'], level: 'read' } as const;
    const access = decideAccess(caller, found?.repository ?? null, need);
    if (found === null || access.kind !== 'allowed') return await c.notFound();
    return c.redirect(site.attachments.elsewhere ?? site.attachments.sign(found));
  };
  web.get('/user-attachments/assets/:id', upload);
  web.get('/user-attachments/files/:id/:name', upload);
  web.get('/storage/user/:user/files/:id', (c) => {
    const found = site.attachments.open(c.req.param('id'), c.req.query('token') ?? '');
    // Storage does not know the tokens of the API, and refuses what it does not know.
    if (c.req.header('authorization') !== undefined) return c.text('Unsupported Authorization Type', 400);
    return found === null ? c.notFound() : c.body(found.bytes, 200, { 'content-type': typeOf(found.name) });
  });
}

const typeOf = (name: string): string =>
  name.endsWith('.png') ? 'image/png' : name.endsWith('.svg') ? 'image/svg+xml' : 'application/octet-stream';
