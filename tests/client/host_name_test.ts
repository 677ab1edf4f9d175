import { bytesOfIp, hostOf, parseHost } from "../../client/host_name.ts";
import { assertEquals, test } from "../harness.ts";

test("a host is brought into the form that URLs have it in", () => {
  const hosts: [text: string, host: string][] = [
    ["Example.TEST", "example.test"],
    ["example.test.", "example.test."],
    ["my_host-1", "my_host-1"],
    ["bücher.test", "xn--bcher-kva.test"],
    ["b%C3%BCcher.test", "xn--bcher-kva.test"],
    ["127.0.0.1", "127.0.0.1"],
    ["0x7f.1", "127.0.0.1"],
    ["::1", "::1"],
    ["[::1]", "::1"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["::ffff:1.2.3.4", "::ffff:102:304"],
    ["FE80::1%eth0", "fe80::1%eth0"],
    ["[fe80::1%eth0]", "fe80::1%eth0"],
  ];
  for (const [text, host] of hosts) {
    assertEquals([text, parseHost(text)], [text, host]);
  }
  assertEquals(hostOf(new URL("ws://[::1]:80/")), "::1");
});

test("what is no host, or more than one, is found out", () => {
  const wrong = [
    "",
    " ",
    "a b",
    "a\tb",
    "a\r\nX: y",
    "a\0",
    "a:80",
    "[::1]:80",
    "[::1",
    "::1]",
    ":::",
    "[a]",
    "1.2.3.999",
    "user@a",
    "user:password@a",
    "a/b",
    "a%2Fb",
    "a%20b",
    "a?b",
    "a#b",
    "a\\b",
    "eth0%fe80::1",
    "a%eth0",
    "::1%",
    "::1%eth0/x",
  ];
  for (const text of wrong) {
    assertEquals([text, parseHost(text)], [text, undefined]);
  }
});

test("the bytes of an IP address are found", () => {
  const zeros = (count: number) => new Array<number>(count).fill(0);
  const hosts: [host: string, bytes: number[] | undefined][] = [
    ["127.0.0.1", [127, 0, 0, 1]],
    ["::", zeros(16)],
    ["::1", [...zeros(15), 1]],
    ["1::", [0, 1, ...zeros(14)]],
    ["fe80::12:3%eth0", [0xfe, 0x80, ...zeros(10), 0, 0x12, 0, 3]],
    [
      "1:2:3:4:5:6:7:abcd",
      [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0xab, 0xcd],
    ],
    ["example.test", undefined],
    ["1.2.3", undefined],
    ["", undefined],
  ];
  for (const [host, bytes] of hosts) {
    assertEquals([host, bytesOfIp(host)], [host, bytes]);
  }
});
