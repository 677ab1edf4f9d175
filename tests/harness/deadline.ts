/** Waiting that ends: a test that hangs says what it was waiting for. */

/**
 * Waits for `promise`, at most `timeoutMs`.
 *
 * @param what Named in the failure: `"the Close frame"`.
 */
export async function within<T>(
  promise: PromiseLike<T>,
  what: string,
  timeoutMs = 10_000,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`Waited ${timeoutMs} ms for ${what}`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}
