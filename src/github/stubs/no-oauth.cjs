/**
 * Replaces Octokit's OAuth packages in the Worker's bundle, which saves 11 KB. Airlock signs in only as the
 * GitHub App and as its installations. Throws when used.
 */
function unavailable() {
  throw new Error('OAuth is not part of the Worker');
}
module.exports = {
  createOAuthAppAuth: () => unavailable,
  createOAuthUserAuth: unavailable,
  requiresBasicAuth: () => false,
};
