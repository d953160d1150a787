/** What a sandbox reports about itself. Anything inside can forge it, and nobody outside can check it. */

/** The heading for people. */
export const reportedHeading = 'Reported from inside the sandbox';

/** Holds a report so that it can only be rendered below the heading that names its source. */
export class Reported<T> {
  readonly #report: T;

  constructor(report: T) {
    this.#report = report;
  }

  /** `heading` renders our words and `render` escapes the report; '' if there is nothing to render. */
  below(heading: (words: string) => string, render: (report: T) => string): string {
    const text = render(this.#report);
    return text === '' ? '' : `${heading(reportedHeading)}${text}`;
  }
}
