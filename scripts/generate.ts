/** `npm run generate`: writes all generated files. */
import './generate-config-schema.ts';
import './generate-environments.ts';
