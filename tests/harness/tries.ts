/** Tests of real time, in which a stall of the machine looks like the fault. */

/**
 * Runs `body` until it succeeds, a few times at most, and throws its last error. It
 * is for what is told apart from the fault by time alone, between processes: a
 * stall spoils one try, the fault each of them.
 *
 * @param body Starts from scratch each time, and cleans up after itself.
 */
export async function inSomeTry(
  body: () => Promise<void>,
  mostTries = 3,
): Promise<void> {
  for (let tries = 1;; tries++) {
    try {
      return await body();
    } catch (error) {
      if (tries === mostTries) throw error;
    }
  }
}
