/** `npm run generate`: writes every file that is made from another one. */
import './generate-config-schema.ts';
import './generate-environments.ts';
