/**
 * Certificates and keys as texts.
 *
 * @module
 */

/** RFC 7468, section 2; the labels are those that OpenSSL takes. */
const FRAMES: Readonly<Record<"certificate" | "private key", RegExp>> = {
  certificate: /-----BEGIN (?:(?:X509|TRUSTED) )?CERTIFICATE-----/,
  "private key": /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/,
};

/**
 * Refuses what is not even the frame of a PEM text, such as the path of a file, or
 * its bytes. Deno would go on without it, Node take an empty `ca` for the system's
 * authorities, and all speak of lines and routines.
 *
 * @param what What it is for, for the message.
 * @param name Name of the option.
 * @param value Value as given.
 * @param kind What has to be in it.
 * @throws {TypeError} If it is not a text, or has none in it.
 */
export function checkPem(
  what: string,
  name: string,
  value: unknown,
  kind: "certificate" | "private key",
): asserts value is string {
  if (typeof value === "string" && FRAMES[kind].test(value)) return;
  throw new TypeError(
    `Cannot ${what}: ${name} is not the text of a PEM file with a ${kind}`,
  );
}
