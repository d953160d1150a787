/** Files that run and that nobody can review: minified, bundled or compiled. Pure. */
import { decodedBytes } from '../../lib/base64.ts';
import type { Find } from './rule.ts';

const minifiedName = /[.-](?:min|bundle)\.(?:[cm]?js|css)$|\.(?:[cm]?js|css)\.map$/i;
const code = /\.(?:[cm]?[jt]sx?|css|php|py|rb|pl|lua|sh|ps1|vue|svelte)$/i;
/** Archives of code. Other ZIP files, such as documents, are data. */
const codeArchive =
  /\.(?:jar|war|ear|aar|apk|aab|ipa|whl|egg|nupkg|vsix|xpi|crx|gem|deb|rpm|msi|dmg|appimage)$/i;
const compiledName = /\.(?:py[cod]|elc|beam|class|dex|node|so(?:\.\d+)*|dylib|dll|exe|sys|ko)$/i;
/** ELF, Mach-O, WebAssembly, Java, Android, MS-DOS and Windows. */
const compiled =
  /^(?:\x7FELF|\xFE\xED\xFA[\xCE\xCF]|[\xCE\xCF]\xFA\xED\xFE|\xCA\xFE\xBA\xBE|\0asm|dex\n0|MZ[^\t\n\r\x20-\x7E])/;

/** Smaller files are short enough to read. */
const minMinified = 20_000;
/** Code that people write has about 40 characters a line. */
const longLines = 500;

export const unreviewable: Find = ({ change: { files } }) =>
  files.flatMap((file) => {
    if (file.type !== 'file' || file.mode === '120000' || file.content === '') return [];
    const { path, content } = file;
    const found =
      minifiedName.test(path) ||
      codeArchive.test(path) ||
      compiledName.test(path) ||
      compiled.test(atob(content.slice(0, 16))) ||
      (code.test(path) && isMinified(content));
    return found ? [path] : [];
  });

function isMinified(content: string): boolean {
  const bytes = decodedBytes(content);
  if (bytes < minMinified) return false;
  const text = atob(content);
  const most = bytes / longLines;
  let lines = 1;
  for (let at = text.indexOf('\n'); at >= 0 && lines <= most; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines <= most;
}
