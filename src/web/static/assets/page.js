/**
 * Keeps the page of a task up to date while it runs. The stream only says that there is news; what is shown
 * comes as HTML from the same code that made the page, so that nothing here turns text into markup.
 */

/** Least time between two requests for news, ms. */
const pauseMs = 500;
/** Asks without the stream, too: it can be lost, and times go on. */
const idleMs = 15_000;

/** Lines of the log that are asked for again because a command among them runs. */
const windowLines = 500;

/**
 * Events of the stream.
 * @type {Record<import('../../../core/task-view.ts').TaskEvent['body']['kind'], true>}
 */
const kinds = {
  phase: true,
  acknowledged: true,
  plan: true,
  thread: true,
  'command.started': true,
  'command.finished': true,
  'files.changed': true,
  message: true,
  error: true,
  'egress.denied': true,
  'egress.failed': true,
  'model.first-request': true,
  change: true,
  note: true,
  queued: true,
  ended: true,
};

const task = document.getElementById('task');
const steps = document.getElementById('steps');
if (task !== null && steps !== null) {
  if (task.dataset['live'] !== undefined) follow(task, steps);
  loadEarlier(steps);
}

/**
 * @param {HTMLElement} task
 * @param {HTMLElement} steps
 */
function follow(task, steps) {
  const path = task.dataset['path'] ?? '';
  let lastSeq = Number(task.dataset['last']);
  let isAsking = false;
  let isAskedAgain = false;
  // Until the reader scrolls away from the newest step, or came for another one.
  let isFollowing = location.hash === '';
  addEventListener('scroll', () => {
    isFollowing = (steps.lastElementChild?.getBoundingClientRect().bottom ?? 0) <= innerHeight + 80;
  });

  const source = new EventSource(`${path}/events?after=${lastSeq}`);
  const timer = setInterval(() => void ask(), idleMs);
  for (const kind of Object.keys(kinds)) source.addEventListener(kind, () => void ask());

  async function ask() {
    if (isAsking) {
      isAskedAgain = true;
      return;
    }
    isAsking = true;
    try {
      do {
        isAskedAgain = false;
        await show();
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      } while (isAskedAgain);
    } catch {
      // the next event or tick asks again
    } finally {
      isAsking = false;
    }
  }

  async function show() {
    const open = steps.querySelector('[data-open]');
    const first = open === null ? Number.POSITIVE_INFINITY : Number(open.id.slice(1));
    // The command that runs can have new output. One far back is left until the end.
    const after = lastSeq - first < windowLines ? Math.min(lastSeq, first - 1) : lastSeq;
    const answer = await fetch(`${path}/live?after=${after}${location.search.replace('?', '&')}`);
    // Signed out, or no longer allowed: the page says so.
    if (answer.status === 401 || answer.status === 404) return location.reload();
    if (!answer.ok) return;
    const news = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('news');
    if (news === null) return;
    for (const part of news.querySelectorAll(':scope > [data-part]')) replacePart(part);
    for (const step of news.querySelectorAll(':scope > ol > li')) replaceStep(steps, step);
    const reached = Number(news.dataset['last']);
    if (reached > lastSeq) {
      lastSeq = reached;
      isAskedAgain = true;
    } else if (news.dataset['live'] === undefined) {
      source.close();
      clearInterval(timer);
      if (steps.querySelector('[data-open]') !== null) location.reload();
    }
    if (isFollowing) steps.lastElementChild?.scrollIntoView({ block: 'nearest' });
  }
}

/** Leaves alone what has not changed, and a form in which somebody writes. @param {Element} part */
function replacePart(part) {
  const shown = document.getElementById(part.id);
  if (shown === null || shown.isEqualNode(part)) return;
  const written = shown.querySelector('input:not([type=hidden])');
  if (written instanceof HTMLInputElement && (written.value !== '' || written === document.activeElement)) {
    const next = part.querySelector('input:not([type=hidden])');
    // The person keeps the field itself, with cursor and selection.
    if (next === null) return;
    for (const name of ['h1', '.state']) {
      const fresh = part.querySelector(name);
      if (fresh !== null) shown.querySelector(name)?.replaceWith(fresh);
    }
    return;
  }
  const focused = shown.contains(document.activeElement) ? document.activeElement : null;
  const label = focused?.textContent;
  shown.replaceWith(part);
  if (focused !== null)
    for (const one of part.querySelectorAll('a, button, summary'))
      if (one instanceof HTMLElement && one.textContent === label) return one.focus();
}

/** Keeps folded what the reader folded. @param {HTMLElement} steps @param {Element} step */
function replaceStep(steps, step) {
  // An attempt can move from a line of its own to the command that made it.
  for (const attempt of step.querySelectorAll('.attempts > li')) {
    const shown = document.getElementById(attempt.id);
    const owner = shown?.closest('.step');
    if (owner == null || owner.id === step.id) continue;
    shown?.remove();
    if (owner.classList.contains('network') && owner.querySelector('.attempts > li') === null) owner.remove();
  }
  const shown = document.getElementById(step.id);
  if (shown === null) {
    // In order: a step of an earlier line can come late.
    const number = Number(step.id.slice(1));
    const next = [...steps.children].findLast((one) => Number(one.id.slice(1)) < number);
    if (next === undefined) steps.prepend(step);
    else next.after(step);
    return;
  }
  if (shown.isEqualNode(step)) return;
  const details = step.querySelector('details');
  const before = shown.querySelector('details');
  const isFocused = shown.contains(document.activeElement);
  if (details !== null && before !== null && before.dataset['touched'] !== undefined)
    details.open = before.open;
  shown.replaceWith(step);
  if (isFocused) step.querySelector('summary')?.focus();
}

document.addEventListener('click', ({ target }) => {
  const details = target instanceof Element ? target.closest('summary')?.parentElement : null;
  if (details != null) details.dataset['touched'] = '';
});

/** Puts earlier steps above, a page at a time, without moving what is read. @param {HTMLElement} steps */
function loadEarlier(steps) {
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('#earlier') : null;
    if (!(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    void load(link);
  });

  /** @param {HTMLAnchorElement} link */
  async function load(link) {
    const answer = await fetch(link.href).catch(() => null);
    if (answer?.ok !== true) return location.assign(link.href);
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const height = document.documentElement.scrollHeight;
    // A command whose end is already shown below began here.
    const earlier = [...(page.getElementById('steps')?.children ?? [])];
    steps.prepend(...earlier);
    const next = page.getElementById('earlier');
    if (next === null) link.remove();
    else link.replaceWith(next);
    scrollBy({ top: document.documentElement.scrollHeight - height });
  }
}
