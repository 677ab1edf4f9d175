/**
 * Metrics and spans for OpenTelemetry, through the meter and the tracer that the
 * user passes. Nothing of `@opentelemetry/api` is imported: the parts of its
 * interfaces that are used stand here.
 *
 * Names and units are those of its semantic conventions where there are any. For
 * WebSockets there are none: those names begin with `websocket.`, in the manner of
 * what the conventions have for other servers.
 *
 * @module
 */

import {
  type Address,
  checkKeys,
  type Connection,
  type ConnectionRequest,
} from "../connection.ts";
import {
  isFailure,
  type SiteEvent,
  type SiteListener,
  type SiteStats,
} from "./events.ts";

/** What a measurement or a span says of itself. */
export type TelemetryAttributes = Record<string, string | number>;

/** How an instrument is described. */
export interface TelemetryInstrumentOptions {
  /** What is measured, for people. */
  readonly description: string;
  /** Unit, as UCUM writes it. */
  readonly unit: string;
  /** How it is best gathered. */
  readonly advice?: {
    /** Bounds of a histogram. */
    readonly explicitBucketBoundaries?: number[];
  };
}

/** As much of OpenTelemetry's `Meter` as is used. */
export interface TelemetryMeter {
  /** Makes a counter. */
  createCounter(name: string, options: TelemetryInstrumentOptions): {
    add(value: number, attributes: TelemetryAttributes): void;
  };
  /** Makes a counter that goes up and down. */
  createUpDownCounter(name: string, options: TelemetryInstrumentOptions): {
    add(value: number, attributes: TelemetryAttributes): void;
  };
  /** Makes a histogram. */
  createHistogram(name: string, options: TelemetryInstrumentOptions): {
    record(value: number, attributes: TelemetryAttributes): void;
  };
  /** Makes a counter that is asked when it is collected. */
  createObservableCounter(name: string, options: TelemetryInstrumentOptions): {
    addCallback(
      callback: (result: {
        observe(value: number, attributes: TelemetryAttributes): void;
      }) => void,
    ): void;
  };
}

/** As much of OpenTelemetry's `Span` as is used. */
export interface TelemetrySpan {
  /** Adds what is known at the end. */
  setAttributes(attributes: TelemetryAttributes): unknown;
  /** Says that it failed. */
  setStatus(status: { code: number; message?: string }): unknown;
  /** Adds an error. */
  recordException(error: Error): void;
  /** Ends it. */
  end(): void;
}

/** As much of OpenTelemetry's `Tracer` as is used. */
export interface TelemetryTracer {
  /** Starts a span. */
  startSpan(
    name: string,
    options: { kind: number; attributes: TelemetryAttributes },
    context?: unknown,
  ): TelemetrySpan;
}

/** Where metrics and spans go. */
export interface Telemetry {
  /** Measures: `metrics.getMeter("my-service")`. */
  readonly meter?: TelemetryMeter;
  /** Gets a span for each connection: `trace.getTracer("my-service")`. */
  readonly tracer?: TelemetryTracer;
  /**
   * Finds the context that a connection's span belongs to, such as
   * `propagation.extract(ROOT_CONTEXT, Object.fromEntries(request.headers))`. The
   * active one where absent.
   */
  readonly context?: (request: ConnectionRequest) => unknown;
}

const TELEMETRY_NAMES = new Set(["meter", "tracer", "context"]);

/** `SpanKind.SERVER`. */
const SERVER_KIND = 1;
/** `SpanStatusCode.ERROR`. */
const ERROR_STATUS = 2;

/** Bounds for how long connections last, in seconds: from a moment to a day. */
const DURATION_BOUNDS = [
  0.01,
  0.1,
  1,
  10,
  60,
  300,
  1_800,
  7_200,
  28_800,
  86_400,
];

/**
 * Refuses settings that cannot have been meant.
 *
 * @throws {TypeError} If one is unknown or of the wrong kind.
 */
export function checkTelemetry(telemetry: Telemetry): void {
  checkKeys("make the site", telemetry, TELEMETRY_NAMES, "telemetry");
  const { meter, tracer, context } = telemetry;
  const isRight = isOptional(meter, "createUpDownCounter") &&
    isOptional(tracer, "startSpan") &&
    (context === undefined || typeof context === "function");
  if (!isRight) {
    throw new TypeError("Cannot make the site: a part of telemetry is not one");
  }
}

function isOptional(value: unknown, method: string): boolean {
  return value === undefined ||
    typeof (value as Record<string, unknown> | null)?.[method] === "function";
}

/**
 * Makes the listeners that measure a site.
 *
 * @param telemetry Where it goes.
 * @param stats Puts the site's counters together.
 */
export function telemetryListeners(
  telemetry: Telemetry,
  stats: () => SiteStats,
): SiteListener[] {
  const { meter, tracer, context } = telemetry;
  return [
    ...(meter === undefined ? [] : [measure(meter, stats)]),
    ...(tracer === undefined ? [] : [trace(tracer, context)]),
  ];
}

function measure(meter: TelemetryMeter, stats: () => SiteStats): SiteListener {
  observeTraffic(meter, stats);
  const active = meter.createUpDownCounter(
    "websocket.server.active_connections",
    { description: "Connections that are open.", unit: "{connection}" },
  );
  const duration = meter.createHistogram(
    "websocket.server.connection.duration",
    {
      description: "How long connections were open.",
      unit: "s",
      advice: { explicitBucketBoundaries: DURATION_BOUNDS },
    },
  );
  const refused = meter.createCounter("websocket.server.refused_requests", {
    description: "Requests that were refused.",
    unit: "{request}",
  });
  const errors = meter.createCounter("websocket.server.errors", {
    description: "Errors of handlers, of the root, and underneath.",
    unit: "{error}",
  });
  return (event) => {
    if (event.type === "opened") {
      active.add(1, { "http.route": event.route });
    } else if (event.type === "closed") {
      const route = { "http.route": event.route };
      active.add(-1, route);
      duration.record((event.durationMs ?? 0) / 1_000, {
        ...route,
        ...(isFailure(event.info) && { "error.type": event.info.cause }),
      });
    } else if (event.type === "refused") {
      refused.add(1, {
        "http.response.status_code": event.status,
        "error.type": event.reason,
      });
    } else if (event.type === "error") {
      errors.add(1, { "error.type": event.error.name });
    }
  };
}

/** What went over the connections, which is only summed up when it is collected. */
function observeTraffic(meter: TelemetryMeter, stats: () => SiteStats): void {
  const observe = (
    name: string,
    options: TelemetryInstrumentOptions,
    received: keyof SiteStats,
    sent: keyof SiteStats,
  ): void =>
    meter.createObservableCounter(name, options).addCallback((result) => {
      const counters = stats();
      result.observe(counters[received] as number, {
        "network.io.direction": "receive",
      });
      result.observe(counters[sent] as number, {
        "network.io.direction": "transmit",
      });
    });
  observe(
    "websocket.server.messages",
    { description: "Messages.", unit: "{message}" },
    "messagesReceived",
    "messagesSent",
  );
  observe(
    "websocket.server.io",
    { description: "Bytes, framing included.", unit: "By" },
    "bytesReceived",
    "bytesSent",
  );
}

function trace(
  tracer: TelemetryTracer,
  context: Telemetry["context"],
): SiteListener {
  const spans = new WeakMap<Connection, TelemetrySpan>();
  return (event) => {
    if (event.type === "opened") {
      const { connection } = event;
      const options = { kind: SERVER_KIND, attributes: spanAttributes(event) };
      const name = `websocket ${event.route}`;
      const span = context === undefined
        ? tracer.startSpan(name, options)
        : tracer.startSpan(name, options, context(connection.request));
      spans.set(connection, span);
    } else if (event.type === "error" && event.connection !== undefined) {
      spans.get(event.connection)?.recordException(event.error);
    } else if (event.type === "closed") {
      const span = spans.get(event.connection);
      if (span !== undefined) endSpan(span, event);
    }
  };
}

function spanAttributes(
  event: SiteEvent & { type: "opened" },
): TelemetryAttributes {
  const { connection, remoteAddress } = event;
  return {
    "http.request.method": "GET",
    "http.response.status_code": 101,
    "http.route": event.route,
    "url.path": event.path,
    "url.scheme": connection.request.url.startsWith("wss:") ? "wss" : "ws",
    "network.protocol.name": "websocket",
    "network.transport": remoteAddress.transport,
    ...addressAttributes(remoteAddress),
    ...(connection.subprotocol !== "" && {
      "websocket.subprotocol": connection.subprotocol,
    }),
    "websocket.connection.id": event.id,
  };
}

function addressAttributes(address: Address): TelemetryAttributes {
  return address.transport === "unix" ? {} : {
    "client.address": address.hostname,
    "client.port": address.port,
  };
}

function endSpan(
  span: TelemetrySpan,
  event: SiteEvent & { type: "closed" },
): void {
  const { info, stats } = event;
  const { cause } = info;
  const hasFailed = isFailure(info);
  span.setAttributes({
    "websocket.close.code": info.code,
    "websocket.close.cause": cause,
    "websocket.messages.received": stats.messagesReceived,
    "websocket.messages.sent": stats.messagesSent,
    ...(hasFailed && { "error.type": cause }),
  });
  if (hasFailed) {
    span.setStatus({
      code: ERROR_STATUS,
      message: info.error?.message ?? cause,
    });
  }
  span.end();
}
