/** The style sheet of all pages, with a light and a dark theme. */
export const style = `
:root{--bg:#fff;--soft:#f6f8fa;--line:#d1d9e0;--text:#1f2328;--muted:#59636e;--link:#0969da;--open:#1a7f37;
  --draft:#59636e;--closed:#8250df;
--add:#dafbe1;--addnum:#aceebb;--del:#ffebe9;--delnum:#ffcecb;--hunk:#ddf4ff;--code:#818b981f;--plus:#1a7f37;
  --minus:#d1242f;--warn:#9a6700}
@media (prefers-color-scheme:dark){:root{--bg:#0d1117;--soft:#151b23;--line:#3d444d;--text:#f0f6fc;
  --muted:#9198a1;--link:#4493f8;--open:#238636;--draft:#656c76;--closed:#8957e5;
--add:#2ea04326;--addnum:#3fb9504d;--del:#f851491a;--delnum:#f851494d;--hunk:#388bfd1a;--code:#656c7633;
  --plus:#3fb950;--minus:#f85149;--warn:#d29922}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);
  font:14px/1.5 -apple-system,BlinkMacSystemFont,"Segoe UI","Noto Sans",Helvetica,Arial,sans-serif,"Apple Color Emoji","Noto Color Emoji","Segoe UI Emoji"}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
code,pre,.diff,.sha{font-family:ui-monospace,SFMono-Regular,"SF Mono",Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace}
.top{background:var(--soft);border-bottom:1px solid var(--line);padding:14px 24px;display:flex;
  align-items:center;justify-content:space-between}
.top nav{display:flex;align-items:center;gap:8px;font-size:15px}.top nav a{color:var(--text);font-weight:500}
.top .home{display:flex;margin-right:6px}.sep{color:var(--muted)}
.note{color:var(--muted);font-size:12px;border:1px solid var(--line);border-radius:999px;padding:2px 10px;
  white-space:nowrap}
main{max-width:1012px;margin:0 auto;padding:24px}
h1.title{font-size:28px;font-weight:400;margin:0 0 8px;line-height:1.25}
h1.title .num{color:var(--muted);font-weight:300}
.meta{color:var(--muted);display:flex;flex-wrap:wrap;gap:8px;align-items:center;padding-bottom:16px;
  border-bottom:1px solid var(--line);margin-bottom:20px}
.meta strong{color:var(--text)}
.state{color:#fff;border-radius:999px;padding:4px 12px;font-weight:500;font-size:13px}
.state.open{background:var(--open)}.state.draft{background:var(--draft)}
.state.closed{background:var(--closed)}
.ref{background:var(--hunk);color:var(--link);border-radius:6px;padding:2px 6px;font-size:12px;
  font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.label{border:1px solid var(--line);border-radius:999px;padding:1px 9px;font-size:12px;color:var(--muted)}
.entry{display:flex;gap:14px;margin:0 0 18px}
.face{flex:none;width:40px;height:40px;border-radius:50%;color:#fff;display:grid;place-items:center;
  font-weight:600;font-size:16px;text-transform:uppercase}.face.bot{border-radius:9px}
.box{flex:1;min-width:0;border:1px solid var(--line);border-radius:6px;overflow:hidden}
.box>header{background:var(--soft);border-bottom:1px solid var(--line);padding:8px 16px;color:var(--muted);
  display:flex;gap:6px;align-items:center;flex-wrap:wrap}
.box>header strong{color:var(--text)}.box>header .push{margin-left:auto}
.tag{border:1px solid var(--line);border-radius:999px;font-size:11px;padding:0 7px;line-height:18px;
  color:var(--muted)}
.body{padding:16px;overflow-wrap:anywhere}.body>:first-child{margin-top:0}.body>:last-child{margin-bottom:0}
.body h1,.body h2{border-bottom:1px solid var(--line);padding-bottom:.3em}.body h1{font-size:1.6em}
.body h2{font-size:1.35em}.body h3{font-size:1.15em}
.body h1,.body h2,.body h3,.body h4{margin:20px 0 12px;line-height:1.25}
.body code{background:var(--code);border-radius:6px;padding:.2em .4em;font-size:85%}
.body pre{background:var(--soft);border-radius:6px;padding:14px;overflow:auto;line-height:1.45}
.body pre code{background:none;padding:0}
.body blockquote{margin:0 0 16px;padding:0 1em;color:var(--muted);border-left:.25em solid var(--line)}
.body table{border-collapse:collapse;display:block;margin:0 0 16px;overflow-x:auto}
.body th,.body td{border:1px solid var(--line);padding:5px 12px;text-align:left}
.body th{font-weight:600;white-space:nowrap}.body tr:nth-child(2n) td{background:var(--soft)}
.body ul,.body ol{padding-left:2em}.body li{margin:3px 0}
.body li.task-list-item{list-style:none;margin-left:-1.4em}
.body hr{border:0;height:3px;background:var(--line)}
.body details{margin:0 0 16px}.body summary{cursor:pointer}
.alert{border-left:.25em solid var(--link);padding:4px 16px;margin:0 0 16px}
.alert-title{font-weight:600;color:var(--link);margin:4px 0}
.alert-warning{border-color:var(--warn)}.alert-warning .alert-title{color:var(--warn)}
.alert-caution{border-color:var(--minus)}.alert-caution .alert-title{color:var(--minus)}
.reactions{padding:0 16px 14px;display:flex;gap:6px}
.reactions span{border:1px solid var(--line);border-radius:999px;padding:1px 10px;font-size:12px}
.empty{color:var(--muted);font-style:italic}
.section{font-size:16px;font-weight:600;margin:28px 0 12px;display:flex;gap:10px;align-items:baseline}
.section small{font-weight:400;color:var(--muted);font-size:13px}
.list{border:1px solid var(--line);border-radius:6px;padding:0;margin:0 0 24px;list-style:none;
  overflow:hidden}
.list li{padding:10px 16px;border-top:1px solid var(--line);display:flex;gap:10px;align-items:baseline}
.list li:first-child{border-top:0}
.list .push{margin-left:auto;color:var(--muted);font-size:12px;white-space:nowrap}
.list .grow{min-width:0;overflow-wrap:anywhere}.list a.strong{font-weight:600;color:var(--text)}
.dot{width:9px;height:9px;border-radius:50%;flex:none;align-self:center}.dot.open{background:var(--open)}
.dot.draft{background:var(--draft)}.dot.closed{background:var(--closed)}
.plus{color:var(--plus);font-weight:600}.minus{color:var(--minus);font-weight:600}
.file{border:1px solid var(--line);border-radius:6px;margin:0 0 16px;overflow:hidden}
.file>header{background:var(--soft);padding:8px 14px;border-bottom:1px solid var(--line);display:flex;
  gap:10px;align-items:center;font-size:12px}.file>header code{font-weight:600;overflow-wrap:anywhere}
.file .push{margin-left:auto;white-space:nowrap}
.file .quiet{padding:14px;color:var(--muted)}
.diff{width:100%;border-collapse:collapse;font-size:12px;line-height:20px;table-layout:fixed}
.diff td{padding:0 10px;vertical-align:top}
.diff .no{width:48px;text-align:right;color:var(--muted);user-select:none}
.diff .text{white-space:pre-wrap;overflow-wrap:anywhere}
.diff .add .text{background:var(--add)}.diff .add .no{background:var(--addnum)}
.diff .del .text{background:var(--del)}.diff .del .no{background:var(--delnum)}
.diff .hunk td{background:var(--hunk);color:var(--muted)}
.clone{background:var(--soft);border:1px solid var(--line);border-radius:6px;padding:10px 14px;overflow:auto}
@media (max-width:600px){main{padding:16px}.face{display:none}.top{padding:12px 16px}}
`;
