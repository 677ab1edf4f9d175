/**
 * A certificate authority that lives as long as a test (RFC 5280), for servers
 * whose certificate is wrong in one way. It is made of `node:crypto`, which signs,
 * and of DER written by hand.
 */
import { Buffer } from "node:buffer";
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { isIP } from "node:net";

/** What a certificate says. */
export interface CertificateOptions {
  /** Host names and addresses that it is for. */
  readonly names: readonly string[];
  /** When it begins to hold; a day ago where absent. */
  readonly from?: Date;
  /** When it ends to hold; in a day where absent. */
  readonly until?: Date;
}

/** A certificate and its key, as PEM. */
export interface Certified {
  readonly cert: string;
  readonly key: string;
}

const DAY_MS = 86_400_000;

function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(parts);
  const { length } = body;
  const size = length < 0x80
    ? [length]
    : length < 0x100
    ? [0x81, length]
    : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.of(tag, ...size), body]);
}

const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts);
const octets = (bytes: Uint8Array) => der(0x04, bytes);
const bits = (bytes: Uint8Array) => der(0x03, Uint8Array.of(0), bytes);
const text = (tag: number, value: string) => der(tag, Buffer.from(value));
const TRUE = Uint8Array.of(0x01, 0x01, 0xff);

/** Object identifiers, by their bytes. */
const OID = {
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
  commonName: [0x55, 0x04, 0x03],
  basicConstraints: [0x55, 0x1d, 0x13],
  subjectAltName: [0x55, 0x1d, 0x11],
} as const;

const oid = (name: keyof typeof OID) => der(0x06, Uint8Array.from(OID[name]));

const ALGORITHM = sequence(oid("ecdsaWithSha256"));

function name(commonName: string): Uint8Array {
  const attribute = sequence(oid("commonName"), text(0x0c, commonName));
  return sequence(der(0x31, attribute));
}

function time(date: Date): Uint8Array {
  const digits = date.toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return text(0x18, digits);
}

function alternatives(names: readonly string[]): Uint8Array {
  const parts = names.map((name) =>
    isIP(name) === 4
      ? der(0x87, Uint8Array.from(name.split("."), Number))
      : text(0x82, name)
  );
  return sequence(oid("subjectAltName"), octets(sequence(...parts)));
}

const IS_AUTHORITY = sequence(
  oid("basicConstraints"),
  TRUE,
  octets(sequence(TRUE)),
);

function pem(label: string, bytes: Uint8Array): string {
  const lines = Buffer.from(bytes).toString("base64").replaceAll(
    /.{64}/g,
    "$&\n",
  );
  return `-----BEGIN ${label}-----\n${lines.trim()}\n-----END ${label}-----\n`;
}

function makeKeys(): { privateKey: KeyObject; publicKey: KeyObject } {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

/** An authority that signs what it is asked to. */
export class Authority {
  /** Its own certificate, which it has signed itself. */
  readonly cert: string;
  readonly #name: string;
  readonly #key: KeyObject;

  constructor(name = "Test authority") {
    const { privateKey, publicKey } = makeKeys();
    this.#name = name;
    this.#key = privateKey;
    this.cert = this.#sign(name, publicKey, IS_AUTHORITY);
  }

  /** Makes a certificate. */
  issue({ names, ...times }: CertificateOptions): Certified {
    const { privateKey, publicKey } = makeKeys();
    const extension = alternatives(names);
    return {
      // No common name that a client could take for a host.
      cert: this.#sign("Test server", publicKey, extension, times),
      key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    };
  }

  #sign(
    subject: string,
    key: KeyObject,
    extension: Uint8Array,
    times: Omit<CertificateOptions, "names"> = {},
  ): string {
    const now = Date.now();
    const { from = new Date(now - DAY_MS), until = new Date(now + DAY_MS) } =
      times;
    // Positive, and another one each time.
    const serial = crypto.getRandomValues(new Uint8Array(8));
    serial[0] = serial[0]! & 0x3f | 0x40;
    const toBeSigned = sequence(
      der(0xa0, der(0x02, Uint8Array.of(2))),
      der(0x02, serial),
      ALGORITHM,
      name(this.#name),
      sequence(time(from), time(until)),
      name(subject),
      new Uint8Array(key.export({ type: "spki", format: "der" }) as Buffer),
      der(0xa3, sequence(extension)),
    );
    const signature = new Uint8Array(sign("sha256", toBeSigned, this.#key));
    const certificate = sequence(toBeSigned, ALGORITHM, bits(signature));
    return pem("CERTIFICATE", certificate);
  }
}
