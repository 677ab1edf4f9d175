/**
 * The events of a `WebSocket`.
 *
 * @module
 */

/** What {@linkcode FailureEvent} is made of. */
export interface FailureEventInit {
  /** Whether it bubbles. */
  readonly bubbles?: boolean;
  /** Whether it can be cancelled. */
  readonly cancelable?: boolean;
  /** Whether it leaves a shadow tree. */
  readonly composed?: boolean;
  /** What went wrong. */
  readonly error: unknown;
}

/**
 * The `error` event. Browsers say nothing of what went wrong, lest a page explore
 * its user's network; here it is told.
 */
export class FailureEvent extends Event {
  /** What went wrong: a `HandshakeError` where it never opened. */
  readonly error: unknown;
  /** The message of `error`. */
  readonly message: string;

  /**
   * Makes the event.
   *
   * @param type Type, `error`.
   * @param init What it tells.
   */
  constructor(type: string, init: FailureEventInit) {
    super(type, init);
    const { error } = init;
    this.error = error;
    this.message = error instanceof Error ? error.message : String(error);
  }
}

/** Runs something in a task of its own, as the event loop of a browser does. */
const schedule: (task: () => void) => unknown =
  // Without it timers do, which take a millisecond each.
  (globalThis as { setImmediate?: (task: () => void) => unknown })
    .setImmediate ?? ((task) => globalThis.setTimeout(task, 0));

/**
 * Runs something in a task of its own: what the code before it left for later as a
 * microtask comes first.
 *
 * @param body What to run.
 * @returns A promise that settles afterwards. It does not reject.
 */
export function inTask(body: () => void): Promise<void> {
  return new Promise((resolve) =>
    schedule(() => {
      try {
        body();
      } finally {
        resolve();
      }
    })
  );
}

/** A function set as `onopen` and the like, and what listens for it. */
interface Registered {
  handler: EventHandler<never>;
  readonly listener: (event: Event) => void;
}

/** What may be set as `onopen` and the like; called with the target as `this`. */
export type EventHandler<Of extends Event = Event> =
  | ((event: Of) => unknown)
  | null;

/** The event handler attributes of one target. */
export class EventHandlers {
  readonly #registered = new Map<string, Registered>();
  readonly #target: EventTarget;

  /** @param target Whose they are. */
  constructor(target: EventTarget) {
    this.#target = target;
  }

  /** What was set; `null` for nothing. */
  get<Of extends Event>(type: string): EventHandler<Of> {
    const handler = this.#registered.get(type)?.handler ?? null;
    return handler as EventHandler<Of>;
  }

  /**
   * Sets what is called. It keeps its place among the listeners until it is set to
   * `null`; anything but a function or an object counts as `null`.
   */
  set<Of extends Event>(type: string, handler: EventHandler<Of>): void {
    const registered = this.#registered.get(type);
    const isSet = typeof handler === "function" ||
      typeof handler === "object" && handler !== null;
    if (!isSet) {
      if (registered === undefined) return;
      this.#registered.delete(type);
      this.#target.removeEventListener(type, registered.listener);
    } else if (registered !== undefined) {
      registered.handler = handler as EventHandler<never>;
    } else {
      this.#add(type, handler as EventHandler<never>);
    }
  }

  #add(type: string, handler: EventHandler<never>): void {
    const registered: Registered = {
      handler,
      listener: (event) => {
        const { handler } = registered;
        // An object that cannot be called is kept, but nothing comes of it.
        if (typeof handler !== "function") return;
        handler.call(this.#target, event as never);
      },
    };
    this.#registered.set(type, registered);
    this.#target.addEventListener(type, registered.listener);
  }
}
