/** The web pages: repository, issue, pull request. Open to whoever can reach the loopback interface. */
import { Hono } from 'hono';
import type { Site } from '../site.ts';

export function pageApplication(_site: Site): Hono {
  return new Hono();
}
