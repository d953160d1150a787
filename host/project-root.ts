/** Where the checkout is; every path of the one-machine host starts here. */
import { dirname } from 'node:path';

export const projectRoot = dirname(import.meta.dirname);
