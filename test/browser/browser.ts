/**
 * Opens pages in a real Chromium. Each page has a context of its own, without the cookies of another. With
 * `AIRLOCK_SCREENS` set to a folder, `photograph` writes pictures there; otherwise it does nothing.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type BrowserContextOptions, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';

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
