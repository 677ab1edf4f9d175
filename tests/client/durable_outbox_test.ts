/**
 * The outbox of a durable connection: what it takes, when it is sent, and what is told
 * of the rest (B-8). On a network in memory, with a clock that is moved by hand.
 */
import { type DurableLoss, type DurableOptions, redial } from "../../client.ts";
import { settle } from "../../testing.ts";
import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import { inWorld, URL, type World } from "./redialing.ts";
import { kept, STEADY } from "./durable.ts";

test("B-8: the outbox is replayed in order after reopening, and nothing twice", () =>
  inWorld(async (world) => {
    const accepted: string[] = [];
    const losses: DurableLoss[] = [];
    const down = (loss: DurableLoss) => void losses.push(loss);
    await kept(world, { outbox: {}, down }, async (durable) => {
      const send = (text: string) => {
        assertEquals(durable.send(text), true);
        accepted.push(text);
      };
      send("before the server is there");
      await world.listen();
      await world.clock.advance(1_000);
      send("while open");
      await settle();
      assertEquals(durable.pendingMessages, 0, "a Pong confirms");
      for (let i = 0; i < 5; i++) {
        world.opened.at(-1)!.terminate();
        await settle();
        send(`while down ${i}`);
        send(`and ${i}`);
        assertEquals(durable.pendingMessages, 2);
        await world.clock.advance(1_000);
        assertEquals(durable.pendingBytes, 0);
      }
      assertEquals(world.received, accepted);
      assertEquals(losses.flatMap(({ inDoubt }) => inDoubt), []);
    });
  }));

/** Sends into a wire that delivers nothing, and cuts it. */
async function loseInDoubt(
  world: World,
  unconfirmed: "drop" | "resend",
): Promise<readonly unknown[]> {
  await world.listen();
  const losses: DurableLoss[] = [];
  const options: DurableOptions = {
    outbox: { unconfirmed },
    down: (loss) => void losses.push(loss),
  };
  await kept(world, options, async (durable) => {
    durable.send("confirmed");
    await settle();
    const wire = world.network.wires.at(-1)!;
    wire.stall();
    durable.send("in doubt 1");
    durable.send(new Uint8Array([105, 110]));
    await settle();
    assertEquals(durable.pendingMessages, 2);
    assertEquals(world.received, ["confirmed"]);
    durable.connection!.terminate();
    await settle();
    durable.send("later");
    await world.clock.advance(1_000);
  });
  return losses[0]!.inDoubt;
}

test('B-8: "drop" tells what is in doubt, and does not send it again', () =>
  inWorld(async (world) => {
    const inDoubt = await loseInDoubt(world, "drop");
    assertEquals(inDoubt, ["in doubt 1", new Uint8Array([105, 110])]);
    assertEquals(world.received, ["confirmed", "later"]);
  }));

test('B-8: "resend" sends what is in doubt again, before the rest', () =>
  inWorld(async (world) => {
    const inDoubt = await loseInDoubt(world, "resend");
    assertEquals(inDoubt.length, 2);
    assertEquals(world.received, [
      "confirmed",
      "in doubt 1",
      "105,110",
      "later",
    ]);
  }));

test("B-8: what is not handed over yet when a connection dies is not in doubt", () =>
  inWorld(async (world) => {
    await world.listen();
    const losses: DurableLoss[] = [];
    const down = (loss: DurableLoss) => void losses.push(loss);
    await kept(world, { outbox: {}, down }, async (durable) => {
      world.network.wires.at(-1)!.stall();
      const texts = Array.from(
        { length: 100 },
        (_, i) => String(i).padEnd(8_000, "."),
      );
      for (const text of texts) assertEquals(durable.send(text), true);
      await settle();
      durable.connection!.terminate();
      await settle();
      const lost = losses[0]!.inDoubt;
      assert(lost.length < 50, `${lost.length} in doubt`);
      await world.clock.advance(1_000);
      assertEquals([...lost, ...world.received], texts);
    });
  }));

test("B-8: the outbox is bounded, in bytes of UTF-8 and in messages", () =>
  inWorld(async (world) => {
    const outbox = { maxBytes: 10, maxMessages: 3 };
    await kept(world, { outbox }, async (durable) => {
      assertEquals(durable.send("ééé"), true);
      assertEquals(durable.pendingBytes, 6);
      assertEquals(durable.send("12345"), false);
      assertEquals(durable.send("1234"), true);
      assertEquals(durable.send(""), true);
      assertEquals(durable.send(""), false);
      await world.listen();
      await world.clock.advance(1_000);
      assertEquals(world.received, ["ééé", "1234", ""]);
      assertEquals(durable.send("0123456789"), true);
    });
    assertEquals(world.received.at(-1), "0123456789");
  }));

test("B-8: the outbox copies bytes", () =>
  inWorld(async (world) => {
    await kept(world, { outbox: {} }, async (durable) => {
      const bytes = new Uint8Array([1, 2]);
      durable.send(bytes);
      bytes.fill(9);
      await world.listen();
      await world.clock.advance(1_000);
      assertEquals(world.received, ["1,2"]);
    });
  }));

test("B-8: without an outbox nothing is accepted while it is down", () =>
  inWorld(async (world) => {
    await kept(world, {}, async (durable) => {
      assertEquals(durable.send("lost"), false);
      await world.listen();
      await world.clock.advance(1_000);
      assertEquals(durable.send("sent"), true);
      await settle();
      assertEquals(world.received, ["sent"]);
      assertEquals(durable.pendingMessages, 0);
    });
  }));

test("B-8: close sends what waits first, and says what was never sent", () =>
  inWorld(async (world) => {
    const down = redial(URL, STEADY).connect({ outbox: {} });
    down.send("never");
    const end = await down.close();
    assertEquals(end, { cause: "closed", unsent: ["never"], inDoubt: [] });
    assertEquals(down.send("after"), false);
    assertEquals(world.clock.pendingTimers, 0);

    await world.listen();
    const open = redial(URL, STEADY).connect({ outbox: {} });
    await settle();
    const texts = Array.from({ length: 50 }, () => "x".repeat(5_000));
    for (const text of texts) open.send(text);
    assertEquals(await open.close(4000, "done"), {
      cause: "closed",
      unsent: [],
      inDoubt: [],
    });
    assertEquals(world.received, texts);
    assertEquals((await world.opened[0]!.closed).code, 4000);
    await open.close();
    await using _idle = open;
  }));

test("B-8: close hands over no more than the send buffer takes", () =>
  inWorld(async (world) => {
    await world.listen();
    const losses: DurableLoss[] = [];
    const dial = { sendMaxBytes: 20_000, compression: false };
    const durable = redial(URL, { ...STEADY, dial }).connect({
      outbox: {},
      down: (loss) => void losses.push(loss),
    });
    await settle();
    const wire = world.network.wires.at(-1)!;
    wire.capacityBytes = 1;
    wire.stall();
    const texts = Array.from({ length: 100 }, (_, i) => `${i}`.padEnd(9_000));
    for (const text of texts) durable.send(text);
    const closed = durable.close(4000);
    await settle();
    wire.capacityBytes = 65_536;
    wire.flow();
    await world.clock.advance(1_000);
    const { cause, unsent } = await closed;
    // More would have been 1013, and a peer given up.
    assertEquals([cause, losses[0]!.info.cause], ["closed", "local"]);
    assertEquals((await world.opened[0]!.closed).code, 4000);
    assertEquals(losses[0]!.inDoubt, []);
    assert(unsent.length > 90 && world.received.length > 0);
    assertEquals([...world.received, ...unsent], texts);
  }));

test("B-8: what found no room in the send buffer follows when there is", () =>
  inWorld(async (world) => {
    await world.listen();
    const dial = { sendMaxBytes: 20_000, compression: false };
    const durable = redial(URL, { ...STEADY, dial })
      .connect({ outbox: {}, message: () => {} });
    await settle();
    const wire = world.network.wires.at(-1)!;
    wire.stall();
    wire.capacityBytes = 1;
    // Not by the outbox: it has nothing of its own to wait for.
    durable.connection!.send("x".repeat(30_000));
    assertEquals([durable.send("1"), durable.send("2")], [true, true]);
    await settle();
    wire.capacityBytes = 65_536;
    wire.flow();
    for (let i = 0; i < 3; i++) await settle();
    assertEquals(world.received.slice(1), ["1", "2"]);
    assertEquals(durable.pendingMessages, 0);
    assertEquals((await durable.close()).unsent, []);
  }));

test("B-8: what is in doubt is told when a hook throws, too", () =>
  inWorld(async (world) => {
    await world.listen();
    for (const unconfirmed of ["drop", "resend"] as const) {
      const durable = redial(URL, STEADY).connect({
        outbox: { unconfirmed },
        message: () => {
          // Neither that nor a Close frame arrives any more.
          world.network.wires.at(-1)!.stall();
          durable.send("in doubt");
          throw new Error("hook");
        },
      });
      await settle();
      world.opened.at(-1)!.send("now");
      await world.clock.advance(20_000);
      const { cause, unsent, inDoubt } = await durable.closed;
      assertEquals(cause, "failed");
      assertEquals([inDoubt, unsent], [
        ["in doubt"],
        unconfirmed === "resend" ? ["in doubt"] : [],
      ]);
    }
  }));

test("B-8: a Close that crosses ours confirms nothing", () =>
  inWorld(async (world) => {
    await world.listen();
    const losses: DurableLoss[] = [];
    const durable = redial(URL, STEADY).connect({
      outbox: {},
      down: (loss) => void losses.push(loss),
    });
    await settle();
    const server = world.opened.at(-1)!;
    durable.send("which way?");
    void server.close(1012);
    await durable.close();
    const { info, inDoubt } = losses[0]!;
    assertEquals([info.cause, info.code, info.wasClean], ["local", 1012, true]);
    assertEquals(inDoubt, ["which way?"]);
  }));

test("B-8: send refuses what cannot be sent at once, also while it is down", () =>
  inWorld(async (world) => {
    await kept(world, { outbox: {}, message: () => {} }, async (durable) => {
      assertThrows(() => durable.send(5 as unknown as string), TypeError);
      const options = { compressed: true } as object;
      assertThrows(() => durable.send("", options), TypeError, "compressed");
      assertThrows(() => durable[Symbol.asyncIterator](), TypeError, "message");
      assertEquals(durable.pendingMessages, 0);
      await settle();
    });
  }));
