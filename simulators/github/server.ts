/** The HTTP server: routes to git, REST or the pages, logs, and injects planned faults. */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { identify } from './access.ts';
import { apiApplication } from './api.ts';
import { attachmentRoutes } from './attachment-routes.ts';
import { ApiError } from './api-errors.ts';
import type { Fault } from './contract.ts';
import type { Faults, RequestLog } from './faults.ts';
import { signInPages } from './oauth.ts';
import { appPages } from './pages/app-pages.ts';
import { issueForm } from './pages/issue-form.ts';
import { pageApplication } from './pages/page-routes.ts';
import { parseGitRequest, serveGit } from './smart-http.ts';
import type { Site } from './site.ts';
import { onWire, type Wire } from '../wire/faults.ts';

export function createHttpServer(site: Site, faults: Faults, log: RequestLog, wire?: Wire): Server {
  const web = new Hono<{ Bindings: HttpBindings }>();
  const lostAnswers = new WeakMap<IncomingMessage, Fault>();
  web.use(async (c, next) => {
    await next();
    // The request has been performed; now lose its answer.
    const fault = lostAnswers.get(c.env.incoming);
    if (fault === undefined) return;
    const { status } = fault;
    if (typeof status === 'number') {
      // Without this, Hono would keep the headers of the real answer.
      c.res = undefined;
      c.res = Response.json(faultDocument(status, fault), { status, headers: fault.headers ?? {} });
      return;
    }
    const { outgoing } = c.env;
    await new Promise<void>((done) => {
      outgoing.once('close', () => done());
      if (status === 'reset') outgoing.destroy();
    });
  });
  web.route('/api/v3', apiApplication(site));
  web.route('/', site.logs.pages);
  attachmentRoutes(site, web);
  web.route('/', signInPages(site));
  web.route('/', appPages(site));
  web.route('/', issueForm(site));
  web.route('/', pageApplication(site));
  // Without the option it replaces the global Request and Response of everything in this process.
  const serveWeb = getRequestListener(web.fetch, { overrideGlobalObjects: false });

  const serve: RequestListener = (request, response) => {
    const at = Date.now();
    const method = request.method ?? 'GET';
    const url = request.url ?? '/';
    response.on('close', () => {
      log.add({
        at,
        method,
        path: url,
        status: response.writableFinished ? response.statusCode : null,
        tokenKind: identify(request.headers.authorization, site, at).kind,
        durationMs: Date.now() - at,
      });
    });
    const fault = faults.take(method, url.split('?')[0] ?? '/');
    if (fault !== null && fault.when !== 'after') {
      answerFault(fault, request, response);
      return;
    }
    const git = parseGitRequest(url);
    if (git !== null) {
      serveGit(site, git, request, response);
      return;
    }
    if (fault !== null) lostAnswers.set(request, fault);
    void serveWeb(request, response);
  };
  return createServer(onWire(wire, serve));
}

function answerFault(fault: Fault, request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  if (fault.status === 'reset') response.destroy();
  // For `timeout` the connection stays open until the client gives up or the server closes.
  if (typeof fault.status !== 'number') return;
  response.writeHead(fault.status, {
    'content-type': 'application/json; charset=utf-8',
    ...(fault.location === undefined ? {} : { location: fault.location }),
    ...fault.headers,
  });
  response.end(JSON.stringify(faultDocument(fault.status, fault)));
}

function faultDocument(status: number, fault: Fault): Record<string, unknown> {
  const message = fault.message ?? (status >= 500 ? 'Server Error' : 'Simulated failure');
  return { ...new ApiError(500, message, fault.errors).document, status: String(status) };
}
