/**
 * Replaces what zod needs to write a schema as JSON Schema in the Worker's bundle, which saves 19 KB. Airlock
 * does that only when it generates `airlock.schema.json`, in Node. Throws when called.
 */
function unavailable() {
  throw new Error('JSON Schema is not part of the Worker');
}
module.exports = {
  createToJSONSchemaMethod: () => unavailable,
  createStandardJSONSchemaMethod: () => unavailable,
};
