/** The part of the preset that we call. Its own types are in a package that it does not depend on. */
declare module '@secretlint/secretlint-rule-preset-recommend' {
  interface Source {
    readonly content: {
      readonly length: number;
      matchAll(pattern: RegExp): Iterable<RegExpExecArray>;
    };
    readonly filePath: string;
    /** With its dot. */
    readonly ext: string;
    readonly contentType: 'text';
  }
  interface Context {
    readonly createTranslator: () => () => object;
    readonly report: () => void;
  }
  export const rules: readonly {
    readonly meta: { readonly id: string };
    readonly create: (context: Context, options: object) => { readonly file: (source: Source) => void };
  }[];
}
