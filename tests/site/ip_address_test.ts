/** Addresses as text: which are equal, and which one client can choose from. */
import { canonicalIp, networkOf } from "../../server/ip_address.ts";
import { assertEquals, test } from "../harness.ts";

test("equal addresses have one canonical form", () => {
  const cases = [
    ["1.2.3.4", "1.2.3.4"],
    ["255.255.255.255", "255.255.255.255"],
    ["0.0.0.0", "0.0.0.0"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["2001:db8::0001", "2001:db8::1"],
    ["::", "::"],
    ["::1", "::1"],
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["::FFFF:102:304", "1.2.3.4"],
    ["0:0:0:0:0:ffff:0.0.0.1", "0.0.0.1"],
    ["64:ff9b::1.2.3.4", "64:ff9b::102:304"],
  ] as const;
  for (const [text, canonical] of cases) {
    assertEquals(canonicalIp(text), canonical, text);
  }
});

test("what is no address is none", () => {
  const wrong = [
    "",
    "localhost",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "0x1.2.3.4",
    "1.2.3.4 ",
    "1.2.3.4:80",
    "16909060",
    ":",
    ":::",
    "1::2::3",
    "12345::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "[::1]",
    "::1%eth0",
    "::1]/@[::2",
    "::1.2.3.256",
    "g::1",
  ];
  for (const text of wrong) assertEquals(canonicalIp(text), undefined, text);
});

test("B-13: an IPv6 address counts by its first 64 bits, IPv4 by all", () => {
  const cases = [
    ["1.2.3.4", "1.2.3.4"],
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
    ["2001:db8:1::9", "2001:db8:1:0::/64"],
    ["2001:db8::1:2:3:4:5", "2001:db8:0:1::/64"],
    ["2001::", "2001:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["somewhere", "somewhere"],
  ] as const;
  for (const [address, network] of cases) {
    assertEquals(networkOf(address), network, address);
  }
});
