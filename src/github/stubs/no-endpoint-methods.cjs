/**
 * Stands in the Worker's bundle for Octokit's table of a thousand methods (`octokit.rest.issues.…`), 80 KB of it. We call GitHub by
 * `request` and `paginate` alone, whose paths can be read in GitHub's documentation; the type of our client has nothing else.
 */
exports.legacyRestEndpointMethods = () => ({});
