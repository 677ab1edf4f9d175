/**
 * Waiting no longer than a signal lets one.
 *
 * @module
 */

/**
 * Waits for what somebody else does, as long as it is wanted.
 *
 * @param awaited What is done; it goes on by itself.
 * @param signal Says when it is wanted no more.
 * @throws The signal's reason, once that has aborted; else as `awaited` rejects.
 */
export async function unlessAborted<T>(
  awaited: T | Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return await awaited;
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  // It may be whoever is waited for who has aborted it.
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([aborted.promise, awaited]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** A signal that aborts with either; one of them where the other is absent. */
export function anySignal(
  one: AbortSignal | undefined,
  other: AbortSignal | undefined,
): AbortSignal | undefined {
  return one && other ? AbortSignal.any([one, other]) : one ?? other;
}
