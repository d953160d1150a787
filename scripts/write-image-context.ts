/** `npm run image`: writes what `container/Dockerfile` copies. `npm run dev` and `npm run deploy` do it by themselves. */
import { writeImageContext } from '../local/image-context.ts';

console.log(await writeImageContext());
