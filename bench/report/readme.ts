/** Places in a Markdown file that a program writes: `<!-- begin: NAME -->`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../run/runtimes.ts";
import { readRuns } from "./figures.ts";
import { formatSections, formatSpeed, type Sections } from "./markdown.ts";

/** A file as it is, and as the figures make it. */
export interface Written {
  /** Path from the repository's root. */
  readonly path: string;
  /** Its text. */
  readonly current: string;
  /** What it should be. */
  readonly wanted: string;
}

/** Fills the marked places of a text; throws where one is missing. */
export function fillSections(text: string, sections: Sections): string {
  return Object.entries(sections).reduce((rest, [name, section]) => {
    const begin = `<!-- begin: ${name} -->\n`;
    const end = `<!-- end: ${name} -->\n`;
    const from = rest.indexOf(begin);
    const to = rest.indexOf(end, from);
    if (from < 0 || to < 0) throw new Error(`No place for the section ${name}`);
    const before = rest.slice(0, from + begin.length);
    return `${before}\n${section}\n\n${rest.slice(to)}`;
  }, text);
}

/** The files that hold figures, as the kept runs make them. */
export function writeReports(): readonly Written[] {
  const runs = readRuns();
  const reports: readonly [string, Sections][] = [
    ["bench/README.md", formatSections(runs)],
    ["README.md", formatSpeed(runs)],
  ];
  return reports.map(([path, sections]) => {
    const current = readFileSync(join(ROOT, path), "utf8");
    return { path, current, wanted: fillSections(current, sections) };
  });
}
