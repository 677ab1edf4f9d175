/**
 * What `@sockeye/sockeye` is to the code of the docs while it is tested: the same
 * with one difference, that what is left listening can be shut down.
 */
import { Site as RealSite } from "../../server.ts";

export * from "../../client.ts";
export * from "../../server.ts";

const sites: Set<Site> = new Set();

/** A site that is remembered. */
export class Site extends RealSite {
  /** As of the site. */
  constructor(...options: ConstructorParameters<typeof RealSite>) {
    super(...options);
    sites.add(this);
  }
}

/** Shuts all sites down. */
export async function shutdownAll(): Promise<void> {
  for (const site of sites) await site.shutdown({ timeoutMs: 1_000 });
  sites.clear();
}
