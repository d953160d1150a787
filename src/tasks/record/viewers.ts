/** Sends a task's log to live viewers as server-sent events, and drops viewers that are too slow. */
import type { TaskEvent } from '../../core/task-view.ts';

/** Interval of comment lines that keep proxies from closing a quiet stream. Most close it after 30–60 s. */
const heartbeatMs = 15_000;
/** Events buffered for one viewer. A slower viewer is dropped and resumes with `Last-Event-ID`. */
const maxWaiting = 2_000;

type Controller = ReadableStreamDefaultController<Uint8Array>;

export interface Viewers {
  /** A stream of past events, then of new ones. It closes after the task's end. */
  add(past: readonly TaskEvent[], ended: boolean): ReadableStream<Uint8Array>;
  send(event: TaskEvent): void;
}

export function createViewers(): Viewers {
  const open = new Set<Controller>();
  const encoder = new TextEncoder();
  const timers = new Map<Controller, ReturnType<typeof setInterval>>();

  const drop = (viewer: Controller) => {
    open.delete(viewer);
    clearInterval(timers.get(viewer));
    timers.delete(viewer);
  };
  const write = (viewer: Controller, text: string) => {
    try {
      viewer.enqueue(encoder.encode(text));
      if ((viewer.desiredSize ?? 0) < -maxWaiting) {
        drop(viewer);
        viewer.close();
      }
    } catch {
      drop(viewer); // the viewer disconnected between two events
    }
  };
  const close = (viewer: Controller) => {
    drop(viewer);
    try {
      viewer.close();
    } catch {
      // the viewer closed it already
    }
  };

  return {
    add(past, ended) {
      let mine: Controller | null = null;
      return new ReadableStream<Uint8Array>({
        start(controller) {
          mine = controller;
          open.add(controller);
          timers.set(
            controller,
            setInterval(() => write(controller, ': alive\n\n'), heartbeatMs),
          );
          for (const event of past) write(controller, format(event));
          if (ended) close(controller);
        },
        cancel() {
          if (mine !== null) drop(mine);
        },
      });
    },
    send(event) {
      for (const viewer of open) {
        write(viewer, format(event));
        if (event.body.kind === 'ended') close(viewer);
      }
    },
  };
}

function format(event: TaskEvent): string {
  return `id: ${event.seq}\nevent: ${event.body.kind}\ndata: ${JSON.stringify(event)}\n\n`;
}
