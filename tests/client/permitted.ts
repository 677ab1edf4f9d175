/** A program on Deno that dials with no more than the permissions it is given. */
import { Child, runtimePath, scriptArguments } from "../harness/child.ts";

/**
 * Starts it.
 *
 * @param net Flags of the permission for the network.
 * @param env What `dialing_child.ts` is to do.
 */
export function dialPermitted(
  net: readonly string[],
  env: Readonly<Record<string, string>>,
): Child {
  const flags = ["--no-prompt", "--allow-env", "--allow-read", ...net];
  const args = scriptArguments("deno", "tests/client/dialing_child.ts")
    .flatMap((arg) => arg === "-A" ? flags : [arg]);
  return new Child(runtimePath("deno") ?? "", args, env);
}
