/**
 * Headers that every answer of a site has.
 *
 * @module
 */

import { encodeUpgradeResponse, type HeaderFields } from "../codec.ts";

/** One header of an answer. */
export type ResponseHeader = readonly [name: string, value: string];

/**
 * Checks headers that are to be part of every answer.
 *
 * @param headers Headers as given.
 * @throws {TypeError} If one may not be sent, or is the answer's own to set.
 */
export function responseHeaders(
  headers: ResponseInit["headers"] | undefined,
): readonly ResponseHeader[] {
  if (headers === undefined) return [];
  const fields: ResponseHeader[] = [...new Headers(headers)];
  encodeUpgradeResponse(
    { key: "", subprotocols: [], extensions: [] },
    { headers: fields },
  );
  if (fields.some(([name]) => name === "content-type")) {
    throw new TypeError(
      'Cannot set the header: "content-type" belongs to the body',
    );
  }
  return fields;
}

/**
 * Adds to the headers of one answer those of every answer, except where it has
 * headers of that name itself. Cookies are added all the same.
 *
 * @param own Headers of the answer.
 * @param common What {@linkcode responseHeaders} returned.
 */
export function withCommon(
  own: HeaderFields,
  common: readonly ResponseHeader[],
): ResponseHeader[] {
  const fields = [...own];
  const names = new Set(fields.map(([name]) => name.toLowerCase()));
  names.delete("set-cookie");
  return [...common.filter(([name]) => !names.has(name)), ...fields];
}
