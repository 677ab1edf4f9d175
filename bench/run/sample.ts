/** What a bench has measured, and the median of it. */

/** One column of a table: a shape of load. */
export interface Cell {
  /** Name on the command line and in the tables. */
  readonly name: string;
  /** Which of several tables it stands in, such as `"text"` or `"binary"`. */
  readonly kind?: string;
}

/** What one measurement yields. */
export interface Measurement {
  /** Figures by name; the unit is in the name. */
  readonly figures: Readonly<Record<string, number>>;
  /** How the load reached the network, where there is a choice. */
  readonly network?: string;
  /** In a word how it ended, where there is more than one way. */
  readonly outcome?: string;
}

/** One measurement of one row in one cell. */
export interface Sample extends Measurement {
  /** Row measured. */
  readonly row: string;
  /** Cell measured. */
  readonly cell: string;
  /** Table that the cell belongs to, where there are several. */
  readonly kind?: string;
  /** Round, from 1. */
  readonly round: number;
}

/** The samples of one row in one cell. */
export function samplesOf(
  samples: readonly Sample[],
  row: string,
  cell: Cell,
): readonly Sample[] {
  return samples.filter((sample) =>
    sample.row === row && sample.cell === cell.name && sample.kind === cell.kind
  );
}

/** The median of a figure over some samples; `undefined` where none has it. */
export function medianOf(
  samples: readonly Sample[],
  figure: string,
): number | undefined {
  return median(
    samples.map(({ figures }) => figures[figure])
      .filter((value) => value !== undefined),
  );
}

/** The middle value, or the mean of the two in the middle. */
function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined || sorted.length % 2 === 1) return upper;
  return ((sorted[middle - 1] ?? upper) + upper) / 2;
}
