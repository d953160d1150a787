/** The style sheet and the one script of the set-up's page. */
export const setupStyle = `
:root{--bg:#fff;--soft:#f6f8fa;--line:#d1d9e0;--text:#1f2328;--muted:#59636e;--link:#0969da;--go:#1a7f37;
  --bad:#d1242f;--warn:#7d4e00}
@media (prefers-color-scheme:dark){:root{--bg:#0d1117;--soft:#151b23;--line:#3d444d;--text:#f0f6fc;
  --muted:#9198a1;--link:#4493f8;--go:#3fb950;--bad:#f85149;--warn:#d29922}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);
  font:16px/1.5 -apple-system,BlinkMacSystemFont,"Segoe UI","Noto Sans",Helvetica,Arial,sans-serif}
header{border-bottom:1px solid var(--line);background:var(--soft);padding:12px 24px}
main{max-width:680px;margin:0 auto;padding:24px}
nav ol{display:flex;flex-wrap:wrap;gap:4px 18px;list-style:none;padding:0;margin:0 0 24px;font-size:14px}
nav .later{color:var(--muted)}nav .now{font-weight:600}nav .done{color:var(--go)}
h1{font-size:26px;line-height:1.25;margin:0 0 12px}
label{display:block;margin:14px 0;font-weight:500}
.choices label{display:inline;margin:0;font-weight:400}
input:not([type=checkbox]),textarea{display:block;width:100%;margin-top:4px;padding:9px 12px;font:inherit;
  color:var(--text);background:var(--bg);border:1px solid var(--line);border-radius:6px}
button,.button{display:inline-block;margin:8px 0;padding:9px 18px;font:inherit;font-weight:600;color:#fff;
  background:#1a7f37;border:1px solid transparent;border-radius:6px;cursor:pointer;text-decoration:none}
button.quiet{color:var(--text);background:none;border-color:var(--line)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
a{color:var(--link)}a.button{color:#fff}
code{background:var(--soft);border:1px solid var(--line);border-radius:6px;padding:2px 6px;
  overflow-wrap:anywhere}
details{margin:14px 0}summary{cursor:pointer;color:var(--muted)}
.problem{border:1px solid var(--bad);border-left-width:6px;border-radius:6px;padding:4px 16px;margin:0 0 20px}
.choices,.findings{list-style:none;padding:0}.choices li{padding:5px 0}
.findings li{margin:6px 0;overflow-wrap:anywhere}
.ok{color:var(--go)}.fail{color:var(--bad)}.warn{color:var(--warn)}
.wait{color:var(--muted)}
.green{border:2px solid var(--go);border-radius:8px;padding:16px 20px}.green h1{color:var(--go)}
@media (max-width:600px){header{padding:12px 16px}main{padding:16px}}
`;

/**
 * Sends on what the person has already confirmed. While the page waits, it is loaded again only once it would
 * show something else, so that it interrupts nobody who reads it. What went wrong is shown until then.
 */
export const setupScript = `document.querySelector('form[data-send]')?.submit();
const main = document.querySelector('main[data-waits]');
let seen = main?.querySelector('.problem') ? null : main?.textContent;
async function look() {
  const response = await fetch('/').catch(() => null);
  const page = new DOMParser().parseFromString((await response?.text()) ?? '', 'text/html');
  const now = page.querySelector('main')?.textContent;
  if (response?.ok && now !== (seen ??= now)) location.assign('/');
  else setTimeout(look, 2000);
}
if (main) setTimeout(look, 2000);
`;
