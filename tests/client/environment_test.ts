/** WS24: which proxy the environment names. */
import process from "node:process";
import { proxyFromEnvironment } from "../../client.ts";
import { assertEquals, test } from "../harness.ts";

test("WS24: proxyFromEnvironment() reads the variables in their order", () => {
  const cases: [url: string, env: Record<string, string>, want?: string][] = [
    ["ws://a/", {}],
    ["wss://a/", { HTTPS_PROXY: "http://p:1" }, "http://p:1"],
    [
      "wss://a/",
      { https_proxy: "http://p:1", HTTPS_PROXY: "x://" },
      "http://p:1",
    ],
    ["wss://a/", { https_proxy: "", HTTPS_PROXY: "http://q" }, "http://q"],
    [
      "wss://a/",
      { wss_proxy: "http://p", https_proxy: "http://q" },
      "http://p",
    ],
    ["wss://a/", { http_proxy: "http://p" }],
    ["wss://a/", { ALL_PROXY: "socks5://p" }, "socks5://p"],
    ["ws://a/", { ALL_PROXY: "socks5://p" }, "socks5://p"],
    ["ws://a/", { HTTP_PROXY: "http://p" }],
    ["ws://a/", { http_proxy: "http://p" }, "http://p"],
    [
      "ws://a/",
      { https_proxy: "http://p", http_proxy: "http://q" },
      "http://p",
    ],
    ["ws://a/", { ws_proxy: "p:3128" }, "http://p:3128"],
  ];
  for (const [url, environment, want] of cases) {
    assertEquals(proxyFromEnvironment(url, environment), want);
  }
});

test("WS24: NO_PROXY names hosts, domains, ports, ranges of addresses, or all", () => {
  const cases: [url: string, list: string, isDirect: boolean][] = [
    ["wss://example.com/", "example.com", true],
    ["wss://a.example.com/", "example.com", true],
    ["wss://a.example.com/", ".example.com", true],
    ["wss://a.example.com/", "*.example.com", true],
    ["wss://example.com/", ".example.com", true],
    ["wss://badexample.com/", "example.com", false],
    ["wss://example.com.evil/", "example.com", false],
    ["wss://EXAMPLE.com/", "Example.COM", true],
    ["wss://example.com/", "x, example.com", true],
    ["wss://example.com/", "x example.com", true],
    ["wss://example.com/", "*", true],
    ["wss://example.com/", "", false],
    ["wss://example.com/", ",", false],
    ["wss://example.com/", ".", false],
    ["wss://example.com/", "example.com:443", true],
    ["wss://example.com:8443/", "example.com:443", false],
    ["ws://example.com/", "example.com:80", true],
    ["wss://127.0.0.1/", "127.0.0.1", true],
    ["wss://[::1]/", "::1", true],
    ["wss://[::1]:99/", "[::1]:99", true],
    ["wss://[::1]:99/", "[::1]:98", false],
    ["wss://[::1]/", "0:0:0:0:0:0:0:1", true],
    ["wss://[::1]/", "::2", false],
    ["wss://[::1]/", "::1/128", true],
    ["wss://[fd00::5]/", "fd00::/8", true],
    ["wss://[fd00::5]/", "[fd00::]/8", false],
    ["wss://[fe80::5]/", "fd00::/8", false],
    ["wss://[fd00::5]/", "0.0.0.0/0", false],
    ["wss://[::ffff:10.1.2.3]/", "10.0.0.0/8", false],
    ["wss://10.1.2.3/", "x, 10.0.0.0/8", true],
    ["wss://11.1.2.3/", "10.0.0.0/8", false],
    ["wss://10.1.2.3/", "10.1.0.0/15", true],
    ["wss://10.2.2.3/", "10.1.0.0/15", false],
    ["wss://10.1.2.3/", "10.1.2.3/32", true],
    ["wss://10.1.2.4/", "10.1.2.3/32", false],
    ["wss://10.1.2.3/", "0.0.0.0/0", true],
    ["wss://10.1.2.3/", "::/0", false],
    ["wss://10.1.2.3/", "10.0.0.0/33", false],
    ["wss://10.1.2.3/", "10.0.0.0/", false],
    ["wss://10.1.2.3/", "10.0.0.0/x", false],
    ["wss://127.0.0.1/", "0.0.1", false],
    ["wss://127.0.0.1/", ".0.0.1", false],
    ["wss://example.com./", "example.com", true],
    ["wss://example.com/", "example.com.", true],
    ["wss://example.com/", "10.0.0.0/8", false],
  ];
  for (const [url, list, isDirect] of cases) {
    const environment = { HTTPS_PROXY: "http://p", NO_PROXY: list };
    const proxy = proxyFromEnvironment(url, environment);
    assertEquals([url, list, proxy === undefined], [url, list, isDirect]);
  }
});

test("WS24: proxyFromEnvironment() takes the variables of the process", () => {
  const before = process.env.wss_proxy;
  process.env.wss_proxy = "http://from.the.process";
  try {
    assertEquals(
      proxyFromEnvironment(new URL("wss://name.test/")),
      "http://from.the.process",
    );
  } finally {
    if (before === undefined) delete process.env.wss_proxy;
    else process.env.wss_proxy = before;
  }
});
