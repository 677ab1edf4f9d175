import { assert, assertEquals, assertStrictEquals, test } from "../harness.ts";
import {
  acceptDeflate,
  checkDeflateAnswer,
  type DeflateAgreement,
  offerDeflate,
} from "../../codec/deflate.ts";
import {
  type Extension,
  formatExtensions,
  parseExtensions,
} from "../../codec/extension.ts";

const ANYTHING: DeflateAgreement = {
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
};

function parse(text: string): Extension[] {
  const extensions = parseExtensions([text]);
  assert(extensions !== undefined, text);
  return extensions;
}

/** Puts the name before the parameters of each offer. */
function named(parameters: string): string {
  return parameters.split(",").map((one) =>
    `permessage-deflate${one === "" ? "" : `; ${one}`}`
  ).join(", ");
}

/** An agreement in short: windows, and who goes without context. */
function short(agreement: DeflateAgreement): string {
  const server = agreement.serverNoContextTakeover ? "-" : "";
  const client = agreement.clientNoContextTakeover ? "-" : "";
  return `${agreement.serverMaxWindowBits}${server} ` +
    `${agreement.clientMaxWindowBits}${client}`;
}

test("EX1: what a server answers to an offer, and what holds then", () => {
  const s = "server_max_window_bits";
  const c = "client_max_window_bits";
  const sn = "server_no_context_takeover";
  const cn = "client_no_context_takeover";
  const rows: [
    wishes: Partial<DeflateAgreement>,
    offer: string,
    answer: string,
    agreement: string,
  ][] = [
    // Nothing wished: only what the client asks for is answered.
    [{}, "", "", "15 15"],
    [{}, c, "", "15 15"],
    [{}, `${c}=15`, "", "15 15"],
    [{}, `${c}=9`, `${c}=9`, "15 9"],
    [{}, `${s}=15`, `${s}=15`, "15 15"],
    [{}, `${s}=10`, `${s}=10`, "10 15"],
    [{}, `${s}=8; ${c}=8`, `${s}=8; ${c}=8`, "8 8"],
    [{}, sn, sn, "15- 15"],
    [{}, cn, cn, "15 15-"],
    [
      {},
      `${cn}; ${sn}; ${c}=12; ${s}=11`,
      `${sn}; ${cn}; ${s}=11; ${c}=12`,
      "11- 12-",
    ],
    // Windows: the smaller one holds.
    [{ serverMaxWindowBits: 12 }, "", `${s}=12`, "12 15"],
    [{ serverMaxWindowBits: 12 }, `${s}=10`, `${s}=10`, "10 15"],
    [{ serverMaxWindowBits: 12 }, `${s}=14`, `${s}=12`, "12 15"],
    [{ clientMaxWindowBits: 12 }, c, `${c}=12`, "15 12"],
    [{ clientMaxWindowBits: 12 }, `${c}=10`, `${c}=10`, "15 10"],
    [{ clientMaxWindowBits: 12 }, `${c}=14`, `${c}=12`, "15 12"],
    // A window that may not be limited is not kept.
    [{ clientMaxWindowBits: 12 }, "", cn, "15 15-"],
    [{ clientMaxWindowBits: 12 }, `${s}=9`, `${cn}; ${s}=9`, "9 15-"],
    // Contexts: whoever wants none has it.
    [{ serverNoContextTakeover: true }, "", sn, "15- 15"],
    [{ serverNoContextTakeover: true }, sn, sn, "15- 15"],
    [{ clientNoContextTakeover: true }, c, cn, "15 15-"],
  ];
  for (const [wishes, offer, answer, agreement] of rows) {
    const offers = parse(named(offer));
    const accepted = acceptDeflate(offers, { ...ANYTHING, ...wishes });
    const context = `${JSON.stringify(wishes)} ${offer}`;
    assert(accepted !== undefined, context);
    assertEquals(formatExtensions([accepted.answer]), named(answer), context);
    assertEquals(short(accepted.agreement), agreement, context);
    // What a server answers a client must be able to accept, and alike.
    assertEquals(
      checkDeflateAnswer([accepted.answer], offers),
      accepted.agreement,
      context,
    );
  }
});

/** Parameters that no offer and no answer may have. */
const INVALID: readonly string[] = [
  "server_max_window_bits",
  "server_max_window_bits=7",
  "server_max_window_bits=16",
  "server_max_window_bits=1000",
  "server_max_window_bits=08",
  "server_max_window_bits=0x9",
  "server_max_window_bits=1e1",
  "server_max_window_bits=-9",
  "server_max_window_bits=9.0",
  "server_max_window_bits=9; server_max_window_bits=9",
  "client_max_window_bits=7",
  "client_max_window_bits=16",
  "client_max_window_bits=012",
  "client_max_window_bits=10; client_max_window_bits=10",
  "client_max_window_bits; client_max_window_bits",
  "server_no_context_takeover=1",
  "server_no_context_takeover=true",
  "server_no_context_takeover; server_no_context_takeover",
  "client_no_context_takeover=0",
  "client_no_context_takeover; client_no_context_takeover",
  "Server_No_Context_Takeover",
  "unknown",
  "unknown=1",
  "__proto__",
  "constructor=9",
];

test("PM-6: a server declines an offer with an invalid parameter", () => {
  for (const parameters of INVALID) {
    const offers = parse(named(parameters));
    assertStrictEquals(acceptDeflate(offers, ANYTHING), undefined, parameters);
  }
});

test("PM-6: it declines that offer, and takes the first that is acceptable", () => {
  for (const parameters of INVALID) {
    const offers = parse(
      `x-other, ${named(parameters)}, ${named("server_max_window_bits=9,")}`,
    );
    const accepted = acceptDeflate(offers, ANYTHING);
    assert(accepted !== undefined, parameters);
    assertEquals(short(accepted.agreement), "9 15", parameters);
  }
});

test("EX1: an extension of another name is none of its business", () => {
  for (const name of ["x-webkit-deflate-frame", "Permessage-Deflate"]) {
    assertStrictEquals(acceptDeflate(parse(name), ANYTHING), undefined);
    assertStrictEquals(checkDeflateAnswer(parse(name), []), undefined);
  }
  assertStrictEquals(acceptDeflate([], ANYTHING), undefined);
  assertStrictEquals(checkDeflateAnswer([], []), undefined);
});

test("EX1: what a client offers", () => {
  const rows: [wishes: Partial<DeflateAgreement>, offer: string][] = [
    [{}, "client_max_window_bits"],
    [{ clientMaxWindowBits: 9 }, "client_max_window_bits=9"],
    [
      { serverMaxWindowBits: 10 },
      "client_max_window_bits; server_max_window_bits=10",
    ],
    [
      { serverNoContextTakeover: true, clientNoContextTakeover: true },
      "client_max_window_bits; server_no_context_takeover; " +
      "client_no_context_takeover",
    ],
  ];
  for (const [wishes, offer] of rows) {
    const extension = offerDeflate({ ...ANYTHING, ...wishes });
    assertEquals(formatExtensions([extension]), named(offer));
  }
});

test("EX1: whatever one side wishes, the other can agree to it", () => {
  const bits = [8, 9, 12, 15];
  const wishes = bits.flatMap((serverMaxWindowBits) =>
    bits.flatMap((clientMaxWindowBits) =>
      [0, 1, 2, 3].map((flags): DeflateAgreement => ({
        serverMaxWindowBits,
        clientMaxWindowBits,
        serverNoContextTakeover: (flags & 1) !== 0,
        clientNoContextTakeover: (flags & 2) !== 0,
      }))
    )
  );
  for (const client of wishes) {
    const offer = offerDeflate(client);
    for (const server of wishes) {
      const accepted = acceptDeflate([offer], server);
      assert(accepted !== undefined);
      assertEquals(
        checkDeflateAnswer([accepted.answer], [offer]),
        {
          serverMaxWindowBits: Math.min(
            client.serverMaxWindowBits,
            server.serverMaxWindowBits,
          ),
          clientMaxWindowBits: Math.min(
            client.clientMaxWindowBits,
            server.clientMaxWindowBits,
          ),
          serverNoContextTakeover: client.serverNoContextTakeover ||
            server.serverNoContextTakeover,
          clientNoContextTakeover: client.clientNoContextTakeover ||
            server.clientNoContextTakeover,
        },
      );
    }
  }
});

test("EX2, CI-12: a client fails on an answer that it may not accept", () => {
  const rows: [offers: string, answers: string][] = [
    // Not what was demanded.
    ["server_no_context_takeover", ""],
    ["server_max_window_bits=10", ""],
    ["server_max_window_bits=10", "server_max_window_bits=11"],
    ["client_max_window_bits=10", "client_max_window_bits=11"],
    // Not offered.
    ["", "client_max_window_bits=15"],
    ["", "client_max_window_bits=10"],
    // A value it must have.
    ["client_max_window_bits", "client_max_window_bits"],
    // Twice.
    ["", ","],
    ["", "server_max_window_bits=9,server_max_window_bits=9"],
    // Nothing that was offered could be read, or was of that name.
    ["unknown", ""],
    ...INVALID.map((parameters): [string, string] => [
      "client_max_window_bits",
      parameters,
    ]),
  ];
  for (const [offers, answers] of rows) {
    assertEquals(
      checkDeflateAnswer(parse(named(answers)), parse(named(offers))),
      "extension-not-acceptable",
      `${offers} / ${answers}`,
    );
  }
  assertEquals(
    checkDeflateAnswer(parse(named("")), parse("x-other")),
    "extension-not-acceptable",
  );
});

test("EX2: an answer may say more than was asked for", () => {
  const rows: [offer: string, answer: string, agreement: string][] = [
    ["", "server_max_window_bits=9", "9 15"],
    ["", "server_max_window_bits=15", "15 15"],
    ["", "server_no_context_takeover", "15- 15"],
    ["", "client_no_context_takeover", "15 15-"],
    ["client_max_window_bits", "client_max_window_bits=8", "15 8"],
    ["client_max_window_bits", "client_max_window_bits=15", "15 15"],
    // What a client promises for itself holds, also where the answer is silent.
    ["client_max_window_bits=9", "", "15 9"],
    ["client_no_context_takeover", "", "15 15-"],
    // An answer to the second of two offers.
    ["server_max_window_bits=9,", "", "15 15"],
  ];
  for (const [offer, answer, agreement] of rows) {
    const result = checkDeflateAnswer(
      parse(named(answer)),
      parse(named(offer)),
    );
    assert(typeof result === "object", `${offer} / ${answer}`);
    assertEquals(short(result), agreement, `${offer} / ${answer}`);
  }
});
