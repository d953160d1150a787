/** What we use of `parse-prometheus-text-format`, which has no types. */
declare module 'parse-prometheus-text-format' {
  interface Sample {
    readonly value?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly buckets?: Readonly<Record<string, string>>;
    readonly count?: string;
    readonly sum?: string;
  }
  /** Throws for text that is not in the format. */
  export default function parse(
    text: string,
  ): readonly { readonly name: string; readonly type: string; readonly metrics: readonly Sample[] }[];
}
