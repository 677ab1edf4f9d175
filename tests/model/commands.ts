/** What can be done to a link, by either side and by what lies between. */
import type { Arbitrary, Command, FastCheck } from "./fast_check.ts";
import {
  checkAlways,
  checkAtRest,
  ends,
  hasArrived,
  type LinkModel,
  type Model,
  newLink,
  type Real,
} from "./model.ts";
import type { Plan } from "./watched.ts";
import {
  type ConnectionEnd,
  isConnection,
  type Link,
  type LinkKind,
  type RawEnd,
} from "./world.ts";

type Step = Command<Model, Real>;

/** Which end of which link: taken modulo how many there are. */
interface Place {
  readonly index: number;
  readonly side: 0 | 1;
}

/** One end, as a step finds it. */
interface Target {
  readonly link: LinkModel;
  readonly thing: Link;
  readonly side: 0 | 1;
  readonly promises: Promise<unknown>[];
}

/** All kinds of links. */
export const LINK_KINDS: readonly LinkKind[] = [
  "pair",
  "raw client",
  "raw server",
];

/** Which kinds have bytes at a side, where the client is 0. */
function isRaw(kind: LinkKind, side: 0 | 1): boolean {
  return kind === (side === 0 ? "raw client" : "raw server");
}

function modelOf(model: Readonly<Model>, { index }: Place): LinkModel {
  return model.links[index % model.links.length]!;
}

/** A step that does something to one end of a link. */
function step(
  name: string,
  place: Place,
  fits: (link: LinkModel, side: 0 | 1) => boolean,
  run: (target: Target) => void,
): Step {
  const { index, side } = place;
  return {
    check: (model) =>
      model.links.length > 0 && fits(modelOf(model, place), side),
    // deno-lint-ignore require-await
    run: async (model, real) => {
      const { promises } = real;
      const thing = real.links[index % real.links.length]!;
      run({ link: modelOf(model, place), thing, side, promises });
      checkAlways(model, real);
    },
    toString: () => `${name}(${index}, ${side === 0 ? "client" : "server"})`,
  };
}

/** A step of a connection. */
function connectionStep(
  name: string,
  place: Place,
  run: (target: Target, end: ConnectionEnd) => void,
): Step {
  return step(
    name,
    place,
    (link, side) => !isRaw(link.kind, side),
    (target) => run(target, target.thing.ends[target.side] as ConnectionEnd),
  );
}

/** A step of a peer made of bytes, while it has not said that it is done. */
function rawStep(
  name: string,
  place: Place,
  run: (target: Target, end: RawEnd) => void,
): Step {
  return step(
    name,
    place,
    (link, side) => isRaw(link.kind, side) && !link.ends[side].hasEnded,
    (target) => run(target, target.thing.ends[target.side] as RawEnd),
  );
}

let lastMessage = 0;

function send(place: Place, size: number, count = 1): Step {
  return step(
    `send ${size} x ${count}`,
    place,
    (link, side) => !isRaw(link.kind, side) || !link.ends[side].hasEnded,
    ({ link, thing, side }) => {
      const end = thing.ends[side];
      for (let i = 0; i < count; i++) {
        const text = `${++lastMessage} ${"x".repeat(size)}`;
        if (!isConnection(end) || end.connection.readyState === 1) {
          link.ends[side].sent.push(text);
        }
        if (isConnection(end)) end.connection.send(text);
        else end.send(text);
      }
    },
  );
}

function close(place: Place, code: number): Step {
  return step(
    `close ${code}`,
    place,
    (link, side) => !isRaw(link.kind, side) || !link.ends[side].hasEnded,
    ({ link, thing, side, promises }) => {
      const end = thing.ends[side];
      if (isConnection(end)) promises.push(end.connection.close(code));
      else end.close(code);
      ends(link, side, ["local", "peer"], ["local", "peer"], true);
    },
  );
}

function pause(place: Place): Step {
  return step("pause", place, () => true, ({ link, thing, side }) => {
    link.ends[side].isPaused = true;
    const end = thing.ends[side];
    if (isConnection(end)) end.connection.pause();
    else end.pause();
  });
}

function resume(place: Place): Step {
  return step("resume", place, () => true, ({ link, thing, side }) => {
    link.ends[side].isPaused = false;
    const end = thing.ends[side];
    if (isConnection(end)) end.connection.resume();
    else end.resume();
  });
}

function ping(place: Place): Step {
  return step(
    "ping",
    place,
    (link, side) => !isRaw(link.kind, side) || !link.ends[side].hasEnded,
    ({ thing, side, promises }) => {
      const end = thing.ends[side];
      if (isConnection(end)) promises.push(end.connection.ping());
      else end.ping();
    },
  );
}

function drained(place: Place): Step {
  return connectionStep("drained", place, ({ promises }, { connection }) => {
    promises.push(connection.drained);
  });
}

function terminate(place: Place): Step {
  return connectionStep("terminate", place, ({ link, side }, end) => {
    ends(link, side, ["local"], ["transport-error"]);
    end.handler.drop();
  });
}

/** The next message is handled like this. */
function plan(place: Place, what: Plan): Step {
  return connectionStep(`plan ${what}`, place, ({ link, side }, end) => {
    // What a client's hooks throw would be written to the console.
    const chosen = what === "throw" && side === 0 ? "close" : what;
    if (end.handler.isHeld) return;
    end.handler.plan = chosen;
    if (chosen === "hold") link.ends[side].isPlanned = true;
    if (chosen === "throw" || chosen === "close" || chosen === "drop") {
      ends(link, side, ["local"], ["peer", "transport-error"]);
      link.ends[side].hasEnded = false;
    }
  });
}

function release(place: Place): Step {
  return connectionStep("release", place, ({ link, side }, end) => {
    link.ends[side].isPlanned = false;
    end.handler.release();
  });
}

function breach(place: Place): Step {
  return rawStep("break the protocol", place, ({ link, side }, end) => {
    ends(link, side, [], ["protocol-error"]);
    end.break();
  });
}

function fin(place: Place): Step {
  return rawStep("FIN", place, ({ link, side }, end) => {
    ends(link, side, [], ["transport-error"]);
    end.end();
  });
}

function reset(place: Place): Step {
  return step(
    "RST",
    place,
    ({ kind }) => kind !== "pair",
    ({ link, thing, side }) => {
      ends(link, side, ["transport-error"], ["transport-error"]);
      link.ends[0].hasEnded = link.ends[1].hasEnded = true;
      thing.reset();
    },
  );
}

function connect(kind: LinkKind): Step {
  return {
    check: (model) => model.links.length < 4 && !model.hasShutDown,
    run: async (model, real) => {
      real.links.push(await real.world.connect(kind));
      model.links.push(newLink(kind));
      checkAlways(model, real);
    },
    toString: () => `connect(${kind})`,
  };
}

function settle(): Step {
  return {
    check: () => true,
    run: async (model, real) => {
      await real.world.settle(() => hasArrived(model, real));
      checkAtRest(model, real);
    },
    toString: () => "settle",
  };
}

function shutdown(timeoutMs: number): Step {
  return {
    check: ({ hasShutDown }) => !hasShutDown,
    // deno-lint-ignore require-await
    run: async (model, real) => {
      model.hasShutDown = true;
      for (const link of model.links) {
        if (link.kind === "raw server") continue;
        ends(link, 1, ["shutdown", "close-timeout", "peer"], ["peer", "local"]);
        link.ends[1].hasEnded = false;
      }
      real.promises.push(real.world.shutdown(timeoutMs));
      checkAlways(model, real);
    },
    toString: () => `shutdown(${timeoutMs})`,
  };
}

/** Steps of worlds that have time, and wires, in their hands. */
function pass(ms: number): Step {
  return {
    check: () => true,
    run: async (model, real) => {
      for (const link of model.links) {
        const isAnswering = link.kind === "pair" && !link.isStalled &&
          link.ends.every((end) => !end.isPaused && !end.isPlanned);
        if (isAnswering && link.isQuiet) continue;
        const late = ["close-timeout", "ping-timeout"] as const;
        ends(link, 0, [...late, "peer"], [...late, "peer"]);
        link.ends[0].hasEnded = isRaw(link.kind, 0) && link.ends[0].hasEnded;
      }
      await real.world.pass!(ms);
      checkAtRest(model, real);
    },
    toString: () => `pass(${ms})`,
  };
}

function stall(place: Place): Step {
  return step("stall", place, () => true, ({ link, thing }) => {
    link.isStalled = true;
    thing.stall!();
  });
}

function flow(place: Place): Step {
  return step("flow", place, () => true, ({ link, thing }) => {
    link.isStalled = false;
    thing.flow!();
  });
}

/**
 * All steps; those more often that do not end anything.
 *
 * @param hasPowers Whether the world can let time pass, and stall wires.
 */
export function steps(fc: FastCheck, hasPowers: boolean): Arbitrary<Step>[] {
  const place = fc.record<{ index: number; side: 0 | 1 }>({
    index: fc.integer({ min: 0, max: 3 }),
    side: fc.constantFrom<0 | 1>(0, 1),
  });
  const at = (make: (place: Place) => Step): Arbitrary<Step> => place.map(make);
  const withOne = <T>(
    values: readonly T[],
    make: (place: Place, value: T) => Step,
  ): Arbitrary<Step> =>
    fc.tuple(place, fc.constantFrom(...values))
      .map(([place, value]) => make(place, value));
  const frequent: Arbitrary<Step>[] = [
    withOne([0, 200, 20_000, 90_000], (at, size) => send(at, size)),
    at((place) => send(place, 90_000)),
    withOne([1, 2, 9, 40], (place, count) => send(place, 5, count)),
    fc.constantFrom(0).map(settle),
    at(resume),
    at(release),
  ];
  const occasional: Arbitrary<Step>[] = [
    fc.constantFrom(...LINK_KINDS).map(connect),
    at(pause),
    at(ping),
    at(drained),
    withOne<Plan>(["hold", "reply"], plan),
  ];
  const ending: Arbitrary<Step>[] = [
    withOne([1000, 3000], close),
    at(terminate),
    at(breach),
    at(fin),
    at(reset),
    withOne<Plan>(["throw", "close", "drop"], plan),
    fc.constantFrom(0, 20_000).map(shutdown),
  ];
  const powers: Arbitrary<Step>[] = [
    at(stall),
    at(flow),
    fc.constantFrom(1_000, 11_000, 45_000).map(pass),
  ];
  return [
    ...Array.from({ length: 6 }, () => frequent).flat(),
    ...Array.from({ length: 3 }, () => occasional).flat(),
    ...ending,
    ...(hasPowers ? powers : []),
  ];
}
