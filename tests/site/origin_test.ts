/** Which web pages may connect, over real sockets (HS-18). */
import {
  Handler,
  type HandlerOptions,
  type OriginRules,
  type Site,
} from "../../server.ts";
import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import { upgradeRequest } from "../harness/raw_client.ts";
import { assertRefused, serve, type Served, statusOf } from "./served.ts";

let asked = 0;

class Asked extends Handler {
  static upgrade(): void {
    asked++;
  }
  override open(): void {
    this.connection.close(1000);
  }
}

function withOrigins(origins?: OriginRules): (site: Site) => void {
  const options: HandlerOptions = origins === undefined ? {} : { origins };
  return (site) => site.addHandler("/page", Asked, options);
}

/** Status for a request from a page; a refusal is checked in full. */
async function statusFrom(
  served: Served,
  origin: string | undefined,
  host: string,
): Promise<number> {
  const before = asked;
  const request = upgradeRequest("/page", { Host: host, Origin: origin });
  const response = await served.exchange(
    request,
    // Close, 1000, masked: else the exchange would not end.
    Uint8Array.of(0x88, 0x82, 0, 0, 0, 0, 3, 232),
  );
  const status = statusOf(response);
  if (status === 101) {
    assertEquals(asked, before + 1);
  } else {
    // The verdict comes before any handler is asked.
    assertRefused(response, status);
    assertEquals(asked, before);
  }
  return status;
}

test("HS-18: by default a page may connect to its own host alone", async () => {
  await serve({ setup: withOrigins() }, async (served) => {
    const cases = [
      [undefined, "example.com", 101],
      ["http://example.com", "example.com", 101],
      ["http://example.com", "example.com:80", 101],
      ["http://example.com:8080", "example.com:8080", 101],
      ["HTTP://EXAMPLE.com", "example.COM", 101],
      ["https://example.com", "example.com", 101],
      ["http://[::1]:8080", "[::1]:8080", 101],
      ["null", "example.com", 403],
      ["http://other.com", "example.com", 403],
      ["http://evil-example.com", "example.com", 403],
      ["http://example.com.evil.com", "example.com", 403],
      ["http://sub.example.com", "example.com", 403],
      ["http://example.com:8081", "example.com:8080", 403],
      ["http://example.com:8080", "example.com", 403],
      ["http://example.com@evil.com", "example.com", 403],
      ["http://example.com/", "example.com", 403],
      ["example.com", "example.com", 403],
      ["http://", "example.com", 403],
      ["://", "example.com", 403],
      ["", "example.com", 403],
      ["http://example.com, http://example.com", "example.com", 403],
      ["http://example.com\r\nOrigin: http://example.com", "example.com", 400],
    ] as const;
    for (const [origin, host, status] of cases) {
      assertEquals(
        await statusFrom(served, origin, host),
        status,
        `${origin} to ${host}`,
      );
    }
  });
});

test("HS-18: further origins, by text, pattern and null", async () => {
  const origins = [
    "https://app.example:443",
    /^https:\/\/\w+\.trusted$/g,
    null,
  ];
  await serve({ setup: withOrigins(origins) }, async (served) => {
    const cases = [
      ["https://app.example", 101],
      ["https://APP.example", 101],
      ["http://app.example", 403],
      ["https://app.example:444", 403],
      ["https://a.trusted", 101],
      // A pattern with the flag g remembers where it matched.
      ["https://a.trusted", 101],
      ["https://a.trusted.evil", 403],
      ["null", 101],
      ["http://host.test", 101],
      ["nonsense", 403],
    ] as const;
    for (const [origin, status] of cases) {
      const actual = await statusFrom(served, origin, "host.test");
      assertEquals(actual, status, origin);
    }
  });
});

test("HS-18: a handler's rules go before the site's, and * allows all", async () => {
  const setup = (site: Site): void => {
    withOrigins("*")(site);
    site.addHandler("/site", () => {});
  };
  const origins = ["https://app.example"];
  await serve({ setup, origins }, async (served) => {
    for (const origin of ["null", "http://evil.com", "nonsense"]) {
      assertEquals(await statusFrom(served, origin, "host.test"), 101);
    }
    const request = upgradeRequest("/site", { Origin: "https://app.example" });
    const close = Uint8Array.of(0x88, 0x82, 0, 0, 0, 0, 3, 232);
    assertEquals(statusOf(await served.exchange(request, close)), 101);
    const evil = upgradeRequest("/site", { Origin: "https://evil.example" });
    assertRefused(await served.exchange(evil), 403);
  });
});

test("rules that cannot have been meant are refused", async () => {
  await serve({}, async ({ site }) => {
    await Promise.resolve();
    const wrong: unknown[] = ["https://a", [1], ["a.com"], [undefined], {}];
    for (const origins of wrong) {
      const options = { origins } as HandlerOptions;
      assertThrows(() => site.addHandler("/x", Asked, options), TypeError);
    }
    assert(!site.hasHandler("/x"));
  });
});
