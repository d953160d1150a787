/**
 * Fans a task's log out to live viewers as server-sent events. Decides only when a viewer is too slow to keep.
 */
import type { TaskEvent } from '../../core/task-view.ts';

/** A comment line keeps proxies from closing a quiet stream; most give up after 30–60 s. */
const heartbeatMs = 15_000;
/** Events that may wait in memory for one viewer; a slower one is cut off and resumes by `Last-Event-ID`. */
const maxWaiting = 2_000;

type Controller = ReadableStreamDefaultController<Uint8Array>;

export interface Viewers {
  /** A stream of what was, then of what comes; ends after the task's end. */
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
      drop(viewer); // the viewer went away between two events
    }
  };
  const close = (viewer: Controller) => {
    drop(viewer);
    try {
      viewer.close();
    } catch {
      // already closed by the viewer: that is what was wanted
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
