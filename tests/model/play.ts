/** Plays random steps against a world, and ends everything. */
import { assert } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { LINK_KINDS, steps } from "./commands.ts";
import type { Command, FastCheck } from "./fast_check.ts";
import {
  checkAlways,
  checkAtEnd,
  ends,
  type Model,
  newLink,
  type Real,
} from "./model.ts";
import { isConnection, type LinkKind, type World } from "./world.ts";

/** How much is played. */
export interface PlayOptions {
  /** Count of runs. */
  readonly runs: number;
  /** Most steps of a run. */
  readonly maxSteps: number;
  /** After which no new run begins, in milliseconds. */
  readonly limitMs: number;
  /** Whether the world can let time pass, and stall wires. */
  readonly hasPowers: boolean;
}

/** Ends everything that is left, and waits for it. */
async function finish(model: Model, real: Real): Promise<void> {
  const { world, links } = real;
  for (const link of links) {
    link.flow?.();
    for (const end of link.ends) {
      if (isConnection(end)) {
        end.connection.resume();
        end.handler.release();
      } else {
        end.resume();
      }
    }
  }
  const connections = links.flatMap(({ ends }) => ends).filter(isConnection);
  for (const link of model.links) ends(link, 0, ["local"], ["local"]);
  for (const { connection } of connections) connection.terminate();
  // What is left of a hook that was about to wait.
  const isDone = () =>
    connections.every(({ handler }) => {
      handler.release();
      return handler.info !== undefined;
    });
  await world.settle(isDone);
  isDone();
  await world.settle(isDone);
  checkAlways(model, real);
  await checkAtEnd(model, real);
  await within(
    Promise.allSettled(real.promises),
    "all promises that were given out",
  );
}

async function run(
  fc: FastCheck,
  world: World,
  kinds: readonly LinkKind[],
  commands: Iterable<Command<Model, Real>>,
): Promise<void> {
  const model: Model = { links: [], hasShutDown: false };
  const real: Real = { world, links: [], promises: [] };
  for (const kind of kinds) {
    real.links.push(await world.connect(kind));
    model.links.push(newLink(kind));
  }
  await fc.asyncModelRun(() => ({ model, real }), commands);
  await finish(model, real);
}

/**
 * Plays. What fails is made as short as it can be, and printed with the seed and
 * the path that play it again: SOCKEYE_SEED and SOCKEYE_PATH take them, and
 * SOCKEYE_RUNS the count of runs for a long search.
 *
 * @param makeWorld Makes a world for one run.
 */
export async function play(
  fc: FastCheck,
  environment: Readonly<Record<string, string | undefined>>,
  { runs, maxSteps, limitMs, hasPowers }: PlayOptions,
  makeWorld: () => Promise<World & (Disposable | AsyncDisposable)>,
): Promise<number> {
  const { SOCKEYE_SEED, SOCKEYE_PATH, SOCKEYE_RUNS } = environment;
  let deadlineMs = performance.now() + limitMs;
  const isLate = () =>
    SOCKEYE_RUNS === undefined && performance.now() > deadlineMs;
  let played = 0;
  const kind = fc.constantFrom(...LINK_KINDS);
  const commands = fc.commands(steps(fc, hasPowers), {
    maxCommands: maxSteps,
    size: "max",
  });
  const property = fc.asyncProperty(
    fc.tuple(kind, kind, commands),
    async ([first, second, commands]) => {
      // Not fast-check's own limit, which leaves the run that is under way alone.
      if (isLate()) return;
      played++;
      await using world = await makeWorld() as World & AsyncDisposable;
      try {
        await run(fc, world, [first, second], commands);
      } catch (error) {
        // There must be time to find a shorter one.
        deadlineMs = performance.now() + limitMs;
        throw error;
      }
    },
  );
  await fc.assert(property, {
    numRuns: Number(SOCKEYE_RUNS ?? runs),
    ...(SOCKEYE_SEED !== undefined && { seed: Number(SOCKEYE_SEED) }),
    ...(SOCKEYE_PATH !== undefined && { path: SOCKEYE_PATH }),
  });
  assert(played > 0);
  return played;
}
