/** One measured value. `ratio` is value ÷ baseline, both from the same run on the same machine. */
export interface Metric {
  readonly name: string;
  readonly value: number;
  readonly unit: 's' | 'ms' | 'KiB' | 'ratio' | '/s';
  readonly baseline?: number;
  readonly ratio?: number;
  /** The goal in words; null if there is none. */
  readonly goal: string | null;
}

export interface Bench {
  readonly name: string;
  readonly what: string;
  run(progress: (line: string) => void): Promise<readonly Metric[]>;
}

/** Returns the middle value, or the mean of the two middle values. Throws for an empty list. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [below, above] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  if (below === undefined || above === undefined) throw new Error('no values to take a median of');
  return (below + above) / 2;
}

/** The smallest value that at least `percent` % of the values do not exceed (nearest rank). */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
  if (value === undefined) throw new Error('no values to take a percentile of');
  return value;
}

export const round = (value: number, digits = 3): number => Number(value.toFixed(digits));
