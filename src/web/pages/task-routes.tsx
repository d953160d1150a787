/** The page of a task: the page itself, its changing parts, its stream, and what people do with it. */
import { Hono, type Context } from 'hono';
import { html } from 'hono/html';
import * as z from 'zod';
import { operatorName } from '../../core/authority.ts';
import { buildRemark } from '../../core/ask/prompt.ts';
import { measureSchema } from '../../core/change-set.ts';
import type { TaskEvent, TaskView } from '../../core/task-view.ts';
import { parseJson } from '../../lib/parse-json.ts';
import type { ShownPatch } from './diff.tsx';
import { formOf } from './form.ts';
import { admit, type Admitted } from './gate.ts';
import { patchOf } from './outcome-words.ts';
import type { PageDeps, PageTask } from './page-deps.ts';
import { message, page, setPageHeaders } from './shell.tsx';
import { foldSteps } from './steps.ts';
import { TaskPageView, TaskParts, titleOf, type TaskPage } from './task-page.tsx';

/** Lines of the log in a page, and in one answer with news. */
const linesShown = 400;
const linesOfNews = 1000;
/** A stream ends after it, and the browser asks for the next one: so access is asked again. */
const streamMs = 60_000;

const seqSchema = z.coerce.number().int().positive().max(1e9).optional().catch(undefined);

export function taskRoutes(deps: PageDeps): Hono {
  const routes = new Hono();

  routes.get('/t/:id', async (c) => {
    const admitted = await admit(c, deps);
    if (admitted instanceof Response) return admitted;
    const { task, session } = admitted;
    const before = seqSchema.parse(c.req.query('before'));
    const [view, lines] = await Promise.all([task.view(), task.linesBefore(before ?? 1e9, linesShown)]);
    if (view === null) return c.notFound();
    const shown: TaskPage = {
      ...pageOf(c, deps, admitted, view),
      ...stepsOf(lines, view),
      patch: await patchFor(task, view),
      isNewest: before === undefined,
    };
    const { isNewest } = shown;
    return await page(c, {
      title: titleOf(view),
      session,
      ...(isNewest ? { live: true } : {}),
      children: <TaskPageView {...shown} />,
    });
  });

  routes.get('/t/:id/live', async (c) => {
    const admitted = await admit(c, deps);
    if (admitted instanceof Response) return admitted;
    const { task } = admitted;
    const after = seqSchema.parse(c.req.query('after')) ?? 0;
    const [view, lines] = await Promise.all([task.view(), task.linesAfter(after, linesOfNews)]);
    if (view === null) return c.notFound();
    const withChange = view.outcome !== null;
    const shown = {
      ...pageOf(c, deps, admitted, view),
      ...stepsOf(lines, view, after),
      patch: withChange ? await patchFor(task, view) : null,
      isNewest: true,
      withChange,
    };
    setPageHeaders(c);
    return await c.html(html`${<TaskParts {...shown} />}`);
  });

  routes.get('/t/:id/events', async (c) => {
    const admitted = await admit(c, deps);
    if (admitted instanceof Response) return admitted;
    const after = seqSchema.parse(c.req.header('last-event-id') ?? c.req.query('after')) ?? 0;
    const { task } = admitted;
    const view = await task.view();
    // 204 tells an EventSource not to come back.
    if (view?.outcome != null && (await task.linesAfter(after, 1)).length === 0) return c.body(null, 204);
    const stream = await task.watch(after);
    if (stream === null) return c.body(null, 204);
    return c.body(endingAfter(stream, streamMs), 200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
  });

  routes.post('/t/:id/:action{cancel|retry|again|approve|steer}', async (c) => {
    const admitted = await admit(c, deps, 'action');
    if (admitted instanceof Response) return admitted;
    const { id, session, access } = admitted;
    const back = [`/t/${id}`, 'Back to the task'] as const;
    const refuse = async (status: 403 | 409, text: string) =>
      await message(c, status, { title: 'Nothing was done', text, link: back }, session);
    if (access !== 'act')
      return await refuse(403, 'This takes write access to the repository, and GitHub says you have none.');
    const form = await formOf(c, session);
    if (form === null)
      return await refuse(403, 'This form is not of your session. Open the page again and repeat it there.');
    const done = await carryOut(c.req.param('action'), form, admitted, deps);
    if ('refusal' in done) return await refuse(409, done.refusal);
    setPageHeaders(c);
    return c.redirect(`/t/${done.next}`, 303);
  });

  return routes;
}

function pageOf(
  c: Context,
  { githubUrl }: PageDeps,
  { session, access }: Admitted,
  view: TaskView,
): Pick<TaskPage, 'view' | 'sides' | 'formToken' | 'githubUrl'> {
  const formToken = access === 'act' ? session.formToken : null;
  return { view, sides: c.req.query('diff') === 'sides', formToken, githubUrl };
}

function stepsOf(
  lines: readonly TaskEvent[],
  view: TaskView,
  after = 0,
): Pick<TaskPage, 'steps' | 'earlier' | 'lastSeq'> {
  const first = lines[0]?.seq ?? 1;
  return {
    steps: foldSteps(lines, view),
    earlier: first > 1 ? first : null,
    lastSeq: lines.at(-1)?.seq ?? after,
  };
}

/** What the outcome carries, else the Worker's comparison of the kept change. */
async function patchFor(task: PageTask, { outcome, change }: TaskView): Promise<ShownPatch | null> {
  const carried = patchOf(outcome);
  if (carried !== null || (change === null && outcome === null)) return carried;
  const kept = measureSchema.safeParse(parseJson((await task.kept('measure.json')) ?? ''));
  return kept.success && kept.data.patch.text !== '' ? kept.data.patch : null;
}

/** `next`: the task whose page is shown. `refusal`: why nothing was done, with the remedy. */
type Done = { readonly next: string } | { readonly refusal: string };

async function carryOut(
  action: string,
  form: URLSearchParams,
  admitted: Admitted,
  deps: PageDeps,
): Promise<Done> {
  const { id, session } = admitted;
  if (action === 'again') {
    const { viewer } = session;
    const person = viewer.kind === 'operator' ? null : { login: viewer.login, id: viewer.id };
    const again = await deps.runAgain(id, person);
    return again.started ? { next: again.taskId } : { refusal: again.reason };
  }
  const refusal = await refusalOf(action, form, admitted, deps);
  return refusal === null ? { next: id } : { refusal };
}

/** Null: done. Else why nothing was done, with the remedy. */
async function refusalOf(
  action: string,
  form: URLSearchParams,
  { id, task, session: { viewer } }: Admitted,
  { retryPublication }: PageDeps,
): Promise<string | null> {
  const isOperator = viewer.kind === 'operator';
  const by = isOperator ? operatorName : viewer.login;
  switch (action) {
    case 'cancel': {
      const { cancelled, reason } = await task.cancel(by);
      return cancelled ? null : reason;
    }
    case 'retry': {
      const again = await retryPublication(id, null);
      return again.started ? null : again.reason;
    }
    case 'approve': {
      const changeHash = form.get('hash') ?? '';
      if (!/^[0-9a-f]{64}$/.test(changeHash)) return 'The form names no change. Open the page again.';
      const github = isOperator ? {} : { github: { login: viewer.login, id: viewer.id } };
      const again = await retryPublication(id, { by, ...github, changeHash });
      return again.started ? null : again.reason;
    }
    default: {
      const words = (form.get('words') ?? '').trim().slice(0, 4000);
      if (words === '') return 'Nothing was written.';
      const fate = await task.addRemark({
        id: `page-${crypto.randomUUID()}`,
        by,
        person: { slackUserId: null, githubId: isOperator ? null : viewer.id },
        text: words,
        message: buildRemark(by, words, null),
        lines: [],
      });
      return fate === null
        ? 'Codex does not take more words: its work has ended or has not begun. Ask again where the task was asked.'
        : null;
    }
  }
}

/** Ends the stream in order: the browser resumes after the last line that it got. */
function endingAfter(stream: ReadableStream<Uint8Array>, ms: number): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  let timer: ReturnType<typeof setTimeout>;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      // The browser waits so long before it asks for the next stream.
      controller.enqueue(new TextEncoder().encode('retry: 1000\n\n'));
      timer = setTimeout(() => {
        reader.cancel().catch(() => undefined);
      }, ms);
    },
    async pull(controller) {
      const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }));
      if (value !== undefined) controller.enqueue(value);
      if (!done) return;
      clearTimeout(timer);
      controller.close();
    },
    async cancel() {
      clearTimeout(timer);
      await reader.cancel().catch(() => undefined);
    },
  });
}
