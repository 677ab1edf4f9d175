/**
 * What a hook threw.
 *
 * @module
 */

/** Tells what a hook threw apart from why an attempt failed. */
export class HookFailure {
  /** What was thrown. */
  readonly cause: unknown;

  /** @param cause What was thrown. */
  constructor(cause: unknown) {
    this.cause = cause;
  }
}

/**
 * Calls a hook, and waits for it.
 *
 * @throws {HookFailure} If it throws, or rejects.
 */
export async function callHook<T>(hook: () => T | Promise<T>): Promise<T> {
  try {
    return await hook();
  } catch (error) {
    throw new HookFailure(error);
  }
}
