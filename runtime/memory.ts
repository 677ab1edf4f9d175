/**
 * What memory costs on each runtime.
 *
 * @module
 */

/**
 * Largest `Uint8Array` that costs no more to make than a view on an existing one,
 * in bytes. JavaScriptCore keeps up to 1,000 elements in its own heap (Bun: 15 ns
 * for 16 bytes, 38 for 64, against 35 for a view); V8 keeps up to 64 there (Node:
 * 36 to 88 ns, and 350 above), unless told not to (Deno: 300 ns for any).
 */
export const CHEAP_ARRAY_BYTES: number = "Deno" in globalThis
  ? 0
  : "Bun" in globalThis
  ? 2_048
  : 64;
