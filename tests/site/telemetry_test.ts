/** Metrics and spans through the real OpenTelemetry (B-13; trackTimings). */
import {
  type Connection,
  Handler,
  Site,
  type SiteOptions,
  type Telemetry,
  type TelemetryMeter,
  type TelemetryTracer,
} from "../../server.ts";
import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import { closePayload } from "../harness/frame.ts";
import {
  rawConnect,
  rawUpgrade,
  upgradeRequest,
} from "../harness/raw_client.ts";
import { readText, until } from "./served.ts";

/** One measured value. */
interface Point {
  readonly attributes: Record<string, string | number>;
  readonly value: number | { readonly count: number; readonly sum: number };
}

/** One instrument, as it is exported. */
interface Metric {
  readonly descriptor: { readonly name: string; readonly unit: string };
  readonly dataPoints: readonly Point[];
}

/** A span, as it is exported. */
interface Span {
  readonly name: string;
  readonly kind: number;
  readonly attributes: Record<string, string | number>;
  readonly status: { readonly code: number; readonly message?: string };
  readonly events: readonly { readonly name: string }[];
  readonly parentSpanContext?: { readonly spanId: string };
  spanContext(): { readonly traceId: string };
}

// By variables: whoever checks types need not have installed them.
const [API, METRICS, TRACE] = [
  "@opentelemetry/api",
  "@opentelemetry/sdk-metrics",
  "@opentelemetry/sdk-trace",
];
const api = await import(API!);
const sdkMetrics = await import(METRICS!);
const sdkTrace = await import(TRACE!);

/** The SDK, with everything kept in memory. */
class Sdk implements AsyncDisposable {
  readonly meter: TelemetryMeter;
  readonly tracer: TelemetryTracer;
  readonly #metrics = new sdkMetrics.InMemoryMetricExporter(
    sdkMetrics.AggregationTemporality.CUMULATIVE,
  );
  readonly #reader = new sdkMetrics.PeriodicExportingMetricReader({
    exporter: this.#metrics,
    exportIntervalMillis: 3_600_000,
  });
  readonly #meters = new sdkMetrics.MeterProvider({ readers: [this.#reader] });
  readonly #spans = new sdkTrace.InMemorySpanExporter();
  readonly #tracers = new sdkTrace.TracerProvider({
    spanProcessors: [
      new sdkTrace.SimpleSpanProcessor({ exporter: this.#spans }),
    ],
  });

  constructor() {
    this.meter = this.#meters.getMeter("test");
    this.tracer = this.#tracers.getTracer("test");
  }

  /** Collects, and finds the points of an instrument. */
  async points(name: string, unit: string): Promise<readonly Point[]> {
    await this.#meters.forceFlush();
    const all: Metric[] = this.#metrics.getMetrics().at(-1).scopeMetrics[0]
      .metrics;
    const metric = all.find(({ descriptor }) => descriptor.name === name);
    assert(metric !== undefined, `${name} among ${all.length}`);
    assertEquals(metric.descriptor.unit, unit);
    return metric.dataPoints;
  }

  /** Spans that have ended. */
  get spans(): readonly Span[] {
    return this.#spans.getFinishedSpans();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#meters.shutdown();
    // What is being exported has a timer, and is not waited for by `shutdown`.
    await this.#tracers.forceFlush();
    await this.#tracers.shutdown();
  }
}

/** Runs a site that is measured; no canary, which would be measured as well. */
async function measured(
  telemetry: Telemetry,
  body: (site: Site, port: number) => Promise<void>,
  options: SiteOptions = {},
): Promise<void> {
  const site = new Site({ ...options, telemetry, onError: () => {} });
  site.addHandler("/rooms/:id", {
    message: (connection, data) => void connection.send(data),
  }, { subprotocols: ["chat"] });
  site.addHandler("/failing", {
    message: () => {
      throw new RangeError("planted");
    },
  });
  await using server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  assert(server.addr.transport === "tcp");
  await body(site, server.addr.port);
}

/** Closes in good order. */
async function closeWell(
  client: Awaited<ReturnType<typeof rawUpgrade>>,
): Promise<void> {
  client.sendFrame({ opcode: "close", payload: closePayload(1000) });
  await client.readToEnd();
  client.end();
}

test("B-13: metrics with the names and units of the conventions", async () => {
  await using sdk = new Sdk();
  await measured({ meter: sdk.meter }, async (site, port) => {
    const active = async () =>
      await sdk.points("websocket.server.active_connections", "{connection}");
    await using one = await rawUpgrade(port, "/rooms/1");
    await using two = await rawUpgrade(port, "/rooms/2");
    one.sendFrame({ payload: "hello" });
    await readText(one);
    assertEquals(
      (await active()).map(({ attributes, value }) => [
        attributes,
        value,
      ]),
      [[{ "http.route": "/rooms/:id" }, 2]],
    );
    await closeWell(one);
    two.reset();
    await using failing = await rawUpgrade(port, "/failing");
    failing.sendFrame({ payload: "x" });
    await failing.readFrame();
    await failing[Symbol.asyncDispose]();
    await using refused = await rawConnect(port);
    refused.write(upgradeRequest("/nowhere"));
    await refused.readToEnd();
    await until(() => site.stats.closed === 3, "the end of all");
    assertEquals((await active()).map(({ value }) => value), [0, 0]);
    const durations = await sdk.points(
      "websocket.server.connection.duration",
      "s",
    );
    const shown = durations.map(({ attributes, value }) => {
      assert(typeof value === "object" && value.sum < 10);
      return [...Object.values(attributes), value.count].join(" ");
    });
    assertEquals(shown.sort(), [
      "/failing local 1",
      "/rooms/:id 1",
      "/rooms/:id transport-error 1",
    ]);
    const refusals = await sdk.points(
      "websocket.server.refused_requests",
      "{request}",
    );
    assertEquals(refusals.map(({ attributes, value }) => [attributes, value]), [
      [{ "http.response.status_code": 404, "error.type": "not-found" }, 1],
    ]);
    const errors = await sdk.points("websocket.server.errors", "{error}");
    assertEquals(errors.map(({ attributes, value }) => [attributes, value]), [
      [{ "error.type": "RangeError" }, 1],
    ]);
  });
});

test("B-13: messages and bytes are observed from site.stats, both ways", async () => {
  await using sdk = new Sdk();
  await measured({ meter: sdk.meter }, async (site, port) => {
    await using client = await rawUpgrade(port, "/rooms/1");
    for (const payload of ["a", "bc"]) {
      client.sendFrame({ payload });
      await readText(client);
    }
    const find = async (name: string, unit: string, direction: string) => {
      const points = await sdk.points(name, unit);
      return points.find(({ attributes }) =>
        attributes["network.io.direction"] === direction
      )?.value;
    };
    const messages = ["websocket.server.messages", "{message}"] as const;
    const io = ["websocket.server.io", "By"] as const;
    assertEquals(await find(...messages, "receive"), 2);
    assertEquals(await find(...messages, "transmit"), 2);
    assertEquals(await find(...io, "receive"), site.stats.bytesReceived);
    assertEquals(await find(...io, "transmit"), site.stats.bytesSent);
    assertEquals(site.stats.bytesReceived, 7 + 8);
  });
});

test("B-13: a span for each connection, from its opening to its end", async () => {
  await using sdk = new Sdk();
  await measured({ tracer: sdk.tracer }, async (site, port) => {
    await using client = await rawUpgrade(port, "/rooms/7?token=secret", {
      "Sec-WebSocket-Protocol": "chat",
      Cookie: "session=secret",
    });
    const { localPort } = client;
    const [connection] = site.connections;
    client.sendFrame({ payload: "hello" });
    await readText(client);
    assertEquals(sdk.spans.length, 0);
    await closeWell(client);
    await until(() => sdk.spans.length === 1, "the span");
    const [span] = sdk.spans;
    assertEquals([span!.name, span!.kind], ["websocket /rooms/:id", 1]);
    assertEquals(span!.status.code, 0);
    assertEquals(span!.attributes, {
      "http.request.method": "GET",
      "http.response.status_code": 101,
      "http.route": "/rooms/:id",
      "url.path": "/rooms/7",
      "url.scheme": "ws",
      "network.protocol.name": "websocket",
      "network.transport": "tcp",
      "client.address": "127.0.0.1",
      "client.port": localPort,
      "websocket.subprotocol": "chat",
      "websocket.connection.id": connection!.id,
      "websocket.close.code": 1000,
      "websocket.close.cause": "peer",
      "websocket.messages.received": 1,
      "websocket.messages.sent": 1,
    });
  });
});

test("B-13: a span says what failed", async () => {
  await using sdk = new Sdk();
  await measured({ tracer: sdk.tracer }, async (_site, port) => {
    await using broken = await rawUpgrade(port, "/rooms/1");
    broken.sendFrame({ opcode: 3 });
    await broken.readToEnd();
    broken.end();
    await until(() => sdk.spans.length === 1, "the first span");
    await using failing = await rawUpgrade(port, "/failing");
    failing.sendFrame({ payload: "x" });
    await failing.readFrame();
    await failing[Symbol.asyncDispose]();
    await until(() => sdk.spans.length === 2, "the second span");
    const [first, second] = sdk.spans;
    assertEquals(first!.attributes["error.type"], "protocol-error");
    assertEquals(first!.status.code, 2);
    assertEquals(second!.attributes["error.type"], "local");
    assertEquals(second!.status, { code: 2, message: "planted" });
    assertEquals(second!.events.map(({ name }) => name), ["exception"]);
  });
});

test("B-13: the context that a span belongs to is taken from the request", async () => {
  await using sdk = new Sdk();
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const spanId = "b7ad6b7169203331";
  const telemetry: Telemetry = {
    tracer: sdk.tracer,
    // What a propagator of the user's does.
    context: ({ headers }) => {
      const [, traceId, spanId] = headers.get("traceparent")!.split("-");
      return api.trace.setSpanContext(api.ROOT_CONTEXT, {
        traceId,
        spanId,
        traceFlags: 1,
        isRemote: true,
      });
    },
  };
  await measured(telemetry, async (_site, port) => {
    await using client = await rawUpgrade(port, "/rooms/1", {
      traceparent: `00-${traceId}-${spanId}-01`,
    });
    await closeWell(client);
    await until(() => sdk.spans.length === 1, "the span");
    const [span] = sdk.spans;
    assertEquals(span!.spanContext().traceId, traceId);
    assertEquals(span!.parentSpanContext?.spanId, spanId);
  });
});

test("B-13: telemetry that throws harms nothing", async () => {
  const { error } = console;
  const written: string[] = [];
  console.error = (value) => void written.push(String(value));
  try {
    const tracer: TelemetryTracer = {
      startSpan: () => {
        throw new Error("of the tracer");
      },
    };
    await measured({ tracer }, async (_site, port) => {
      await using client = await rawUpgrade(port, "/rooms/1");
      client.sendFrame({ payload: "still here" });
      assertEquals(await readText(client), "still here");
    });
  } finally {
    console.error = error;
  }
  assertEquals(written, ["Error: of the tracer"]);
});

test("AP-1: telemetry that is unknown or wrong is refused", () => {
  const wrong: unknown[] = [
    null,
    5,
    { metre: {} },
    { meter: {} },
    { meter: null },
    { tracer: () => {} },
    { context: {} },
  ];
  for (const telemetry of wrong) {
    assertThrows(
      () => new Site({ telemetry: telemetry as Telemetry }),
      TypeError,
    );
  }
  new Site({ telemetry: {} }).addHandler(
    "/none",
    class extends Handler {
      constructor(connection: Connection) {
        super(connection);
      }
    },
  );
});
