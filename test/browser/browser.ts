/**
 * Opens pages in a real Chromium. Each page has a context of its own, without the cookies of another. With
 * `AIRLOCK_SCREENS` set to a folder, `photograph` writes pictures there; otherwise it does nothing.
 */
import { accessSync, constants } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { chromium, type BrowserContextOptions, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { z } from 'zod';

const names = ['chromium', 'chromium-browser', 'google-chrome'];

/** Time limit of one action in a page: it only ends a test that hangs. */
const patientMs = 120_000;

/** Starts a browser for one test and closes it afterwards. */
export async function openBrowser() {
  const browser = await chromium.launch({ executablePath: executable() });
  onTestFinished(async () => await browser.close());
  return {
    /** Errors of scripts and refusals by the content security policy are collected in `problems`. */
    async page(options: BrowserContextOptions = {}): Promise<{ page: Page; problems: string[] }> {
      const context = await browser.newContext(options);
      context.setDefaultTimeout(patientMs);
      const page = await context.newPage();
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.message));
      page.on('console', (message) => {
        if (message.type() === 'error') problems.push(message.text());
      });
      return { page, problems };
    },
  };
}

/** Photographs the whole page, not just what fits into the window. */
export async function photograph(page: Page, name: string): Promise<void> {
  const folder = process.env['AIRLOCK_SCREENS'] ?? '';
  if (folder !== '') await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

const axeSource = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const violationsSchema = z.array(
  z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string() })) }),
);

/** What axe finds, all unfolded. In a world of its own, so that the page's policy stays as it is. */
export async function violations(page: Page): Promise<string[]> {
  const source = await readFile(axeSource, 'utf8');
  await page.evaluate(() => {
    for (const folded of document.querySelectorAll('details')) folded.open = true;
  });
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send('Page.getFrameTree');
  const { executionContextId: contextId } = await session.send('Page.createIsolatedWorld', {
    frameId: frameTree.frame.id,
  });
  await session.send('Runtime.evaluate', { contextId, expression: source });
  const { result } = await session.send('Runtime.evaluate', {
    contextId,
    expression: 'axe.run().then(({ violations }) => JSON.stringify(violations))',
    awaitPromise: true,
  });
  const found = violationsSchema.parse(JSON.parse(String(result.value)));
  return found.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

/** What a page takes: bytes of its scripts' heap after a collection, and DOM nodes, also those not shown. */
export async function memoryOf(page: Page): Promise<{ readonly heap: number; readonly nodes: number }> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  await session.send('Performance.enable');
  const { metrics } = await session.send('Performance.getMetrics');
  const of = (wanted: string) => metrics.find(({ name }) => name === wanted)?.value ?? Number.NaN;
  return { heap: of('JSHeapUsedSize'), nodes: of('Nodes') };
}

function executable(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const found = names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
  if (found === undefined)
    throw new Error(`Tests of pages need a browser (${names.join(' or ')}): apt-get install chromium`);
  return found;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
