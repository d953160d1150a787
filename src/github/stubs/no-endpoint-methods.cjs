/**
 * Replaces Octokit's table of a thousand methods (`octokit.rest.issues.…`) in the Worker's bundle, which
 * saves 80 KB. Airlock calls GitHub only with `request` and `paginate`, whose paths are those of GitHub's
 * documentation.
 */
exports.legacyRestEndpointMethods = () => ({});
