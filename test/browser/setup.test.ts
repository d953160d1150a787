/**
 * From nothing to the first answer, as a person does it in a browser. Lists every click and paste with its
 * second, and holds every screen against axe; with `AIRLOCK_SCREENS` it photographs every screen.
 */
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterEach, expect, it } from 'vitest';
import { examineSandboxes } from '../../cli/doctor/examine-here.ts';
import { openaiKey, startSetupWorld } from '../setup/setup-world.ts';
import { openBrowser, photograph, violations } from './browser.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** Everything that a person does, with the second at which it was done. */
class Diary {
  private readonly startedAt = performance.now();
  readonly lines: string[] = [];
  /** What axe found, in the pages of this origin. */
  readonly violations: string[] = [];
  private readonly name: string;
  private readonly origin: string | null;

  /** `origin`: null without scripts, which axe needs. */
  constructor(name: string, origin: string | null) {
    this.name = name;
    this.origin = origin;
  }

  async click(page: Page, words: string | RegExp, role: 'button' | 'link' | 'checkbox' = 'button') {
    await this.picture(page);
    this.write(`click  ${String(words)}`);
    await page.getByRole(role, { name: words }).click();
  }

  async paste(page: Page, label: string | RegExp, text: string) {
    this.write(`paste  ${String(label)}`);
    await page.getByLabel(label).fill(text);
  }

  async picture(page: Page) {
    await photograph(page, `setup-${this.name}-${String(this.lines.length + 1).padStart(2, '0')}`);
    if (this.origin === null || new URL(page.url()).origin !== this.origin) return;
    const heading = await page.locator('h1').textContent();
    this.violations.push(...(await violations(page)).map((found) => `${heading}: ${found}`));
  }

  private write(what: string): void {
    const seconds = ((performance.now() - this.startedAt) / 1000).toFixed(1);
    this.lines.push(`${seconds.padStart(6)} s  ${what}`);
  }

  end(): string {
    this.write('green');
    return `\nSet-up, ${this.name}: ${this.lines.length - 1} clicks and pastes\n${this.lines.join('\n')}\n`;
  }
}

const phone = { viewport: { width: 390, height: 800 }, colorScheme: 'dark' } as const;

it.each<[name: string, options: BrowserContextOptions, withSlack: boolean, most: number]>([
  ['github', {}, false, 12],
  ['slack-phone-dark', phone, true, 15],
  ['no-script', { javaScriptEnabled: false }, false, 13],
])('gets from nothing to the first answer: %s', async (name, options, withSlack, most) => {
  const world = await startSetupWorld();
  closers.push(async () => await world.close());
  const started = await world.start({ examineSandboxes, environment: { PORT: '0' } });
  closers.push(async () => await started.stop());
  const browser = await openBrowser();
  const { page, problems } = await browser.page(options);
  const { page: elsewhere } = await browser.page();
  const { origin } = new URL(started.address);
  const diary = new Diary(name, options.javaScriptEnabled === false ? null : origin);

  await page.goto(started.address);
  await diary.paste(page, /^Organization/, 'acme');
  await diary.click(page, 'Create the App on GitHub');
  if (options.javaScriptEnabled === false) await diary.click(page, 'Continue on GitHub');
  await page.waitForURL(/settings\/apps\/new/);
  await diary.click(page, /^Create GitHub App/);
  await page.getByRole('heading', { name: 'Install @airlock-acme' }).waitFor();
  const opening = page.waitForEvent('popup');
  await diary.click(page, 'Install it on GitHub', 'link');
  const install = await opening;
  await diary.click(install, 'Install');
  await install.getByRole('heading', { name: /is installed/ }).waitFor();
  await install.close();

  await page.getByRole('heading', { name: 'Enter the key of the model' }).waitFor();
  if (withSlack) {
    await page.getByLabel('OpenAI API key').fill('sk-wrong');
    await page.getByRole('button', { name: 'Try and store it' }).click();
    await page.getByRole('alert').waitFor();
    await diary.picture(page);
  }
  await diary.paste(page, 'OpenAI API key', openaiKey);
  await diary.click(page, 'Try and store it');
  await page.getByRole('heading', { name: 'Choose repositories' }).waitFor();
  await diary.click(page, 'acme/shop', 'checkbox');
  await diary.click(page, 'Allow them');
  await page.getByRole('heading', { name: 'Connect Slack' }).waitFor();
  if (withSlack) {
    const link = await page.getByRole('link', { name: 'Create the Slack app' }).getAttribute('href');
    await elsewhere.goto(link ?? '');
    await diary.picture(elsewhere);
    await diary.paste(page, /^Bot User OAuth Token/, world.slack.botToken);
    await diary.paste(page, /^App-level token/, world.slack.appToken);
    await diary.click(page, 'Try and store them');
    await page.getByText('Waiting for the command').waitFor();
    await diary.picture(page);
    await world.slack.slashCommand({ user: 'mona', channel: 'shop', text: 'here acme/shop' });
    await page.getByRole('button', { name: 'That was me' }).waitFor();
    await diary.click(page, 'That was me: allow this channel');
  } else await diary.click(page, 'Continue without Slack');

  await page.getByRole('link', { name: 'Open an issue with these words' }).waitFor();
  const answering = page.waitForEvent('popup');
  await diary.click(page, 'Open an issue with these words', 'link');
  const issue = await answering;
  await diary.click(issue, 'Create');
  // Chromium can wait for ever to close a page that is about to show another one.
  await issue.waitForURL(/\/issues\/\d+$/);
  await issue.close();
  await page.getByRole('heading', { name: '✓ Airlock works' }).waitFor();
  await diary.picture(page);
  process.stdout.write(diary.end());

  expect(diary.lines.length - 1).toBeLessThanOrEqual(most);
  expect(diary.violations).toEqual([]);
  // The browser names the answer to the wrong key.
  expect(problems.map((problem) => problem.replace(/.*status of (\d+).*/, '$1'))).toEqual(
    withSlack ? ['422'] : [],
  );
  // The page is green when the task has ended; its comment is written after that.
  const comments = () => world.github.comments({ owner: 'acme', name: 'shop', issue: 1 });
  await expect.poll(() => comments().map(({ author }) => author)).toEqual(['airlock-acme[bot]']);
});
