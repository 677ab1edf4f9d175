/** Which arrays of bytes a piece of code makes. */

/** Runs `body` and returns the length of every `Uint8Array` made with one. */
export function allocations(body: () => void): number[] {
  const Original = Uint8Array;
  const lengths: number[] = [];
  globalThis.Uint8Array = new Proxy(Original, {
    construct(target, args, newTarget) {
      if (typeof args[0] === "number") lengths.push(args[0]);
      return Reflect.construct(
        target,
        args,
        newTarget === globalThis.Uint8Array ? Original : newTarget,
      );
    },
  });
  try {
    body();
  } finally {
    globalThis.Uint8Array = Original;
  }
  return lengths;
}
