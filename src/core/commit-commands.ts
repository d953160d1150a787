/**
 * Breaks what GitHub, CI systems and bots obey in a commit message, with a zero-width space. Also in titles
 * and bodies of pull requests, which become the message of a squashed commit.
 */
import { zeroWidthSpace } from './emoji.ts';

/** `[skip ci]`, `[ci-skip]`, `[no ci]`, `[skip azp]`, `[skip netlify]`, `[skipRun]` and `***NO_CI***`. */
function breakSkips(untrustedText: string): string {
  return untrustedText
    .replace(
      /\[(?=(?:[^\][\n]{0,30}[ _-])?(?:skip(?:[ _-][^\][\n]{0,30}|run)?|no[ _-](?:ci|actions|checks))\])/gi,
      `[${zeroWidthSpace}`,
    )
    .replace(/\*\*\*(?=NO_CI\*)/gi, `***${zeroWidthSpace}`);
}

/** Leaves the text as it looks: closing keywords of GitHub and other trackers, skips, trailers, commands. */
export function breakCommitCommands(untrustedCode: string): string {
  return (
    breakSkips(untrustedCode)
      .replace(
        /\b((?:clos|resolv|fix|implement)(?:e[sd]?|ing|ed|s)?)([^\p{L}\p{N}#]*(?:[\w.-]{1,100}\/[\w.-]{1,100})?(?:#|GH-|https?:))/giu,
        `$1$2${zeroWidthSpace}`,
      )
      // Of Linear, and of Jira: "Fixes ENG-1", "ENG-1 #close".
      .replace(
        /\b((?:clos|resolv|fix|complet)(?:e[sd]?|ing|ed|s)?[\s:]{1,9}[a-z][a-z\d]{0,9}-)(?=\d)/gi,
        `$1${zeroWidthSpace}`,
      )
      .replace(/\b[A-Z][A-Z\d]{0,9}-\d.*/g, (rest) => rest.replace(/#(?=[a-z])/g, `#${zeroWidthSpace}`))
      .replace(
        /^([ \t]*(?:(?:[a-z]{1,30}-){1,3}by|skip-checks|release-as))(?=[ \t]*:)/gim,
        `$1${zeroWidthSpace}`,
      )
      .replace(/BEGIN_(?=COMMIT_OVERRIDE|NESTED_COMMIT)/g, `BEGIN_${zeroWidthSpace}`)
      .replace(/^([ \t]*\/)(?=[a-z][\w-]{0,30}(?:\s|$))/gim, `$1${zeroWidthSpace}`)
  );
}
