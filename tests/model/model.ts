/** What should be the case, as far as it can be told from what was done. */
import type { CloseCause } from "../../server.ts";
import { assert, assertEquals } from "../harness.ts";
import {
  type ConnectionEnd,
  isConnection,
  type Link,
  type LinkKind,
  type RawEnd,
  type World,
} from "./world.ts";

/** What is known of one end. */
export interface EndModel {
  /** Messages that it was asked to send while it could. */
  readonly sent: string[];
  /** Whether it takes nothing at the moment. */
  isPaused: boolean;
  /** Whether a hook may hold, fail or end it when a message comes. */
  isPlanned: boolean;
  /** What may be reported as the cause of its end. */
  readonly causes: Set<CloseCause>;
  /** Whether it has said, or may have, that nothing more comes. */
  hasEnded: boolean;
}

/** What is known of one link. */
export interface LinkModel {
  readonly kind: LinkKind;
  readonly ends: readonly [EndModel, EndModel];
  /** Whether nothing was done to end it. */
  isQuiet: boolean;
  /** The one end that has closed it in the orderly way, and nobody else anyhow. */
  closer: 0 | 1 | undefined;
  isStalled: boolean;
}

/** What is known of everything. */
export interface Model {
  readonly links: LinkModel[];
  hasShutDown: boolean;
}

/** The thing itself. */
export interface Real {
  readonly world: World;
  readonly links: Link[];
  /** Promises that were given out, which all have to settle. */
  readonly promises: Promise<unknown>[];
}

/** A link that was just opened. */
export function newLink(kind: LinkKind): LinkModel {
  const end = (): EndModel => ({
    sent: [],
    isPaused: false,
    isPlanned: false,
    causes: new Set(),
    hasEnded: false,
  });
  return {
    kind,
    ends: [end(), end()],
    isQuiet: true,
    closer: undefined,
    isStalled: false,
  };
}

/** Notes that an end does something that ends the link. */
export function ends(
  link: LinkModel,
  side: 0 | 1,
  own: readonly CloseCause[],
  other: readonly CloseCause[],
  isOrderly = false,
): void {
  for (const cause of own) link.ends[side].causes.add(cause);
  for (const cause of other) link.ends[1 - side]!.causes.add(cause);
  link.closer = link.isQuiet && isOrderly ? side : undefined;
  link.isQuiet = false;
  link.ends[side].hasEnded = true;
}

function receivedBy(end: RawEnd | ConnectionEnd): readonly string[] {
  return isConnection(end) ? end.handler.messages : end.messages;
}

/** All that an end has sent, its handler's replies included. */
function sentBy(model: EndModel, end: RawEnd | ConnectionEnd): string[] {
  const replies = isConnection(end) ? end.handler.replies : [];
  return [...model.sent, ...replies];
}

/** Whether everything that was sent must have arrived by now. */
function mustHaveArrived(link: LinkModel, to: 0 | 1): boolean {
  const taker = link.ends[to];
  if (link.isStalled || taker.isPaused || taker.isPlanned) return false;
  return link.isQuiet || link.closer === 1 - to;
}

/** Whether all has arrived that must have. */
export function hasArrived(model: Model, real: Real): boolean {
  return model.links.every((link, index) =>
    ([0, 1] as const).every((to) => {
      if (!mustHaveArrived(link, to)) return true;
      const { ends } = real.links[index]!;
      const sent = sentBy(link.ends[1 - to]!, ends[1 - to]!);
      return receivedBy(ends[to]).length >= sent.length;
    })
  );
}

/** Checks what holds at every moment. */
export function checkAlways(model: Model, real: Real): void {
  for (const [index, link] of model.links.entries()) {
    const { ends } = real.links[index]!;
    for (const to of [0, 1] as const) {
      const sender = link.ends[1 - to]!;
      const hasReplied = isConnection(ends[1 - to]!) &&
        (ends[1 - to] as ConnectionEnd).handler.replies.length > 0;
      const received = receivedBy(ends[to]);
      const own = hasReplied
        ? received.filter((text) => !text.startsWith("reply"))
        : received;
      assertEquals(own, sender.sent.slice(0, own.length), "out of order");
      const end = ends[to];
      if (!isConnection(end)) continue;
      end.handler.check();
      if (!link.isQuiet) continue;
      assertEquals(end.connection.readyState, 1, "closed by nobody");
      assert(!end.handler.calls.includes("error"), "an error out of nowhere");
    }
  }
}

/** Checks what holds when all is done that could be. */
export function checkAtRest(model: Model, real: Real): void {
  checkAlways(model, real);
  for (const [index, link] of model.links.entries()) {
    const { ends } = real.links[index]!;
    for (const to of [0, 1] as const) {
      if (!mustHaveArrived(link, to)) continue;
      const sent = sentBy(link.ends[1 - to]!, ends[1 - to]!);
      assertEquals(receivedBy(ends[to]).length, sent.length, "not delivered");
    }
  }
}

/** Checks what holds when every connection is gone. */
export async function checkAtEnd(model: Model, real: Real): Promise<void> {
  for (const [index, link] of model.links.entries()) {
    for (const side of [0, 1] as const) {
      const end = real.links[index]!.ends[side];
      if (!isConnection(end)) continue;
      const { connection, handler } = end;
      assertEquals(connection.readyState, 3);
      handler.check();
      assertEquals(handler.calls.at(-1), "close");
      const info = await connection.closed;
      assertEquals(handler.info, info, "the report of the close hook");
      // The end of the test drops those that are left.
      const causes = new Set([...link.ends[side].causes, "local"]);
      if (link.isQuiet) causes.add("transport-error");
      assert(
        causes.has(info.cause) || info.cause === "transport-error",
        `ended by ${info.cause}, though only ${[...causes]} was done`,
      );
      assertEquals(connection.send("late"), false);
    }
  }
  assertEquals(real.world.openConnections, 0, "listed although they are gone");
}
