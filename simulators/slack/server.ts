/** The HTTP server, on loopback only: Web API, response URLs, pages and the Socket Mode WebSocket. */
import { createServer } from 'node:http';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { listenOnLoopback } from '../../host/listen-on-loopback.ts';
import { pageApplication } from './pages/page-routes.ts';
import { serveResponseUrl } from './response-url.ts';
import { serveFile } from './shared-files.ts';
import type { Site } from './site.ts';
import { ConnectionCut, serveMethod } from './web-api.ts';
import { onWire, type Wire } from '../wire/faults.ts';

export async function startServer(
  site: Site,
  port: number,
  wire?: Wire,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const web = new Hono<{ Bindings: HttpBindings }>();
  web.on(['GET', 'POST'], '/api/:method', (c) => serveMethod(site, c));
  web.post('/commands/*', (c) => serveResponseUrl(site, c));
  web.post('/actions/*', (c) => serveResponseUrl(site, c));
  web.get('/files-pri/:file/*', (c) => serveFile(site, c));
  web.route('/', pageApplication(site));
  web.onError((error) => {
    // The connection is closed, so this response goes nowhere.
    if (error instanceof ConnectionCut) return new Response(null, { status: 500 });
    throw error;
  });
  // Without the option it replaces the global Request and Response of everything in this process.
  const serve = getRequestListener(web.fetch, { overrideGlobalObjects: false });
  const server = createServer(onWire(wire, (request, response) => void serve(request, response)));
  server.on('upgrade', (request, socket, head) => site.socket.upgrade(request, socket, head));
  const taken = await listenOnLoopback(server, port);
  return {
    url: `http://127.0.0.1:${taken}`,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((done) => {
        server.close(() => done());
      });
    },
  };
}
