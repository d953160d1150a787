/**
 * Sends a task's log to live viewers as server-sent events. A viewer gets lines from the store as fast as it
 * reads them, so that a slow one costs no memory and loses nothing.
 */
import type { TaskEvent } from '../../core/task-view.ts';

/** Interval of comment lines that keep proxies from closing a quiet stream. Most close it after 30–60 s. */
const heartbeatMs = 15_000;
/** A viewer that does not read these lines within two heartbeats is dropped, and can resume. */
const linesAtOnce = 100;

/** The task's log. */
export interface ViewedLog {
  /** The next lines, in order; empty if there are no more yet. */
  after(seq: number, atMost: number): readonly TaskEvent[];
  hasEnded(): boolean;
}

interface Viewer {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  /** The last line that it was sent. */
  seq: number;
  /** That line at the last heartbeat for which there was no room. */
  wasFullAt: number | null;
}

export interface Viewers {
  /** A stream of the lines after `seq`. It closes after the task's end. */
  add(seq: number): ReadableStream<Uint8Array>;
  /** There are new lines. */
  update(): void;
}

export function createViewers(log: ViewedLog): Viewers {
  const open = new Map<Viewer, ReturnType<typeof setInterval>>();
  const encoder = new TextEncoder();

  const drop = (viewer: Viewer) => {
    clearInterval(open.get(viewer));
    open.delete(viewer);
  };
  const close = (viewer: Viewer) => {
    drop(viewer);
    try {
      viewer.controller.close();
    } catch {
      // the viewer closed it already
    }
  };
  const write = (viewer: Viewer, text: string) => {
    try {
      viewer.controller.enqueue(encoder.encode(text));
    } catch {
      drop(viewer); // the viewer disconnected between two lines
    }
  };
  const hasRoom = ({ controller }: Viewer) => (controller.desiredSize ?? 0) > 0;
  const fill = (viewer: Viewer) => {
    while (open.has(viewer) && hasRoom(viewer)) {
      const lines = log.after(viewer.seq, linesAtOnce);
      const last = lines.at(-1);
      if (last === undefined) {
        if (log.hasEnded()) close(viewer);
        return;
      }
      // First, because writing to a viewer that waits asks for the next lines at once.
      viewer.seq = last.seq;
      write(viewer, lines.map(format).join(''));
    }
  };
  const beat = (viewer: Viewer) => {
    if (hasRoom(viewer)) write(viewer, ': alive\n\n');
    else if (viewer.wasFullAt === viewer.seq) close(viewer);
    else viewer.wasFullAt = viewer.seq;
  };

  return {
    add(seq) {
      let viewer: Viewer | null = null;
      return new ReadableStream<Uint8Array>({
        start(controller) {
          const mine: Viewer = { controller, seq, wasFullAt: null };
          viewer = mine;
          open.set(
            mine,
            setInterval(() => beat(mine), heartbeatMs),
          );
        },
        pull() {
          if (viewer !== null) fill(viewer);
        },
        cancel() {
          if (viewer !== null) drop(viewer);
        },
      });
    },
    update() {
      for (const viewer of open.keys()) fill(viewer);
    },
  };
}

function format(event: TaskEvent): string {
  return `id: ${event.seq}\nevent: ${event.body.kind}\ndata: ${JSON.stringify(event)}\n\n`;
}
