/** HTML fragments shared by the pages: state badge, comment box, diff. */
import type { FileDifference } from '../differences.ts';
import type { Issue, Reaction, User } from '../store.ts';
import { escapeHtml } from '../../pages/html.ts';
import { bodyHtml } from '../body-html.ts';

/** Lines shown of one file's patch; a last row gives the number of omitted lines. */
const maxPatchLines = 1500;

export function stateOf(issue: Issue): 'open' | 'draft' | 'closed' {
  if (issue.state === 'closed') return 'closed';
  return issue.pull?.draft === true ? 'draft' : 'open';
}

export function stateBadge(issue: Issue): string {
  const state = stateOf(issue);
  const text = { open: 'Open', draft: 'Draft', closed: 'Closed' }[state];
  return `<span class="state ${state}">${text}</span>`;
}

export function labelsOf(issue: Issue): string {
  return issue.labels.map((label) => `<span class="label">${escapeHtml(label.name)}</span>`).join('');
}

export function moment(at: string): string {
  return `<time datetime="${escapeHtml(at)}">${escapeHtml(at.replace('T', ' ').replace('Z', ' UTC'))}</time>`;
}

function face(user: User): string {
  const hue = Buffer.from(user.login).reduce((sum, byte) => (sum * 31 + byte) % 360, 7);
  const bot = user.type === 'Bot' ? ' bot' : '';
  return `<span class="face${bot}" style="background:hsl(${hue} 45% 42%)" aria-hidden="true">${escapeHtml(user.login.slice(0, 1))}</span>`;
}

const emoji: Readonly<Record<Reaction['content'], string>> = {
  '+1': '👍',
  '-1': '👎',
  laugh: '😄',
  confused: '😕',
  heart: '❤️',
  hooray: '🎉',
  rocket: '🚀',
  eyes: '👀',
};

function reactionsRow(reactions: readonly Reaction[]): string {
  if (reactions.length === 0) return '';
  const contents = [...new Set(reactions.map((one) => one.content))];
  const shown = contents.map((content) => {
    const by = reactions.filter((one) => one.content === content);
    const names = by.map((one) => one.user.login).join(', ');
    return `<span title="${escapeHtml(names)}">${emoji[content]} ${by.length}</span>`;
  });
  return `<div class="reactions">${shown.join('')}</div>`;
}

/** Renders a quote whose first line is a marker such as `[!NOTE]` as an alert. */
function withAlerts(html: string): string {
  return html.replace(
    /<blockquote>\s*<p>\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\](?:<br>\s*)?/g,
    (_, kind: string) =>
      `<blockquote class="alert alert-${kind.toLowerCase()}"><p class="alert-title">${kind}</p><p>`,
  );
}

export function commentBox(entry: {
  readonly user: User;
  readonly body: string | null;
  readonly createdAt: string;
  readonly reactions: readonly Reaction[];
  readonly anchor: string;
  readonly edits: number;
  readonly role: string;
}): string {
  const bot = entry.user.type === 'Bot' ? '<span class="tag">bot</span>' : '';
  const role =
    entry.role === 'NONE' || bot !== ''
      ? ''
      : `<span class="tag push">${escapeHtml(entry.role.toLowerCase())}</span>`;
  const edited = entry.edits === 0 ? '' : ` · edited ${entry.edits === 1 ? 'once' : `${entry.edits} times`}`;
  const body =
    entry.body === null || entry.body.trim() === ''
      ? '<p class="empty">No description provided.</p>'
      : withAlerts(bodyHtml(entry.body));
  return `<article class="entry" id="${escapeHtml(entry.anchor)}">${face(entry.user)}<div class="box">
<header><strong>${escapeHtml(entry.user.login)}</strong>${bot}<span>${moment(entry.createdAt)}${edited}</span>${role}</header>
<div class="body">${body}</div>${reactionsRow(entry.reactions)}</div></article>`;
}

export function changeCount(additions: number, deletions: number): string {
  return `<span class="plus">+${additions}</span> <span class="minus">−${deletions}</span>`;
}

export function fileDiff(file: FileDifference): string {
  const name = file.previousPath === null ? file.path : `${file.previousPath} → ${file.path}`;
  const mode =
    file.status === 'modified' && file.mode !== file.previousMode
      ? `<span class="tag">${file.previousMode} → ${file.mode}</span>`
      : file.mode === '100755' || file.mode === '120000'
        ? `<span class="tag">${file.mode === '120000' ? 'symlink' : 'executable'}</span>`
        : '';
  const tag = file.status === 'modified' ? '' : `<span class="tag">${file.status}</span>`;
  const quiet =
    file.status === 'renamed'
      ? 'File renamed without changes.'
      : 'Binary file or mode change: no lines to show.';
  const content = file.patch === null ? `<div class="quiet">${quiet}</div>` : patchTable(file.patch);
  return `<section class="file"><header><code>${escapeHtml(name)}</code>${tag}${mode}<span class="push">${changeCount(file.additions, file.deletions)}</span></header>${content}</section>`;
}

function patchTable(patch: string): string {
  const lines = patch.split('\n');
  let before = 0;
  let after = 0;
  const rows = lines.slice(0, maxPatchLines).map((line) => {
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)/.exec(line);
    if (hunk !== null) {
      before = Number(hunk[1]);
      after = Number(hunk[2]);
      return row('hunk', '', '', line);
    }
    if (line.startsWith('+')) return row('add', '', String(after++), line);
    if (line.startsWith('-')) return row('del', String(before++), '', line);
    if (line.startsWith('\\')) return row('hunk', '', '', line);
    return row('same', String(before++), String(after++), line);
  });
  if (lines.length > maxPatchLines)
    rows.push(row('hunk', '', '', `${lines.length - maxPatchLines} more lines`));
  return `<table class="diff"><tbody>${rows.join('')}</tbody></table>`;
}

function row(kind: string, before: string, after: string, text: string): string {
  return `<tr class="${kind}"><td class="no">${before}</td><td class="no">${after}</td><td class="text">${escapeHtml(text)}</td></tr>`;
}
