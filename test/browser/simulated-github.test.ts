/** What a browser makes of the simulated GitHub's pages, which display what anybody wrote. */
import { expect, it, onTestFinished } from 'vitest';
import { TestSite } from '../simulators/github/harness.ts';
import { openBrowser, photograph } from './browser.ts';

it('displays a hostile issue as text, and the page runs no script', async () => {
  const site = await TestSite.start();
  onTestFinished(async () => await site.stop());
  await site.repository();
  const hostile = '<script>document.title = "owned"</script><img src=x onerror="document.title=1">';
  await site.simulator.openIssue({
    owner: 'acme',
    name: 'widgets',
    author: 'ada',
    title: `Rounding ${hostile}`,
    body: `**Wrong** ${hostile}`,
  });
  const { page } = await (await openBrowser()).page();
  await page.goto(`${site.simulator.url}/acme/widgets/issues/1`);
  await photograph(page, 'simulated-issue');
  expect(await page.title()).toMatch(/^Rounding <script>/);
  expect(await page.locator('h1').textContent()).toContain(hostile);
  expect(await page.locator('script').count()).toBe(0);
});
