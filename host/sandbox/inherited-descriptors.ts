/** Closes inherited descriptors: Node marks 3 to 15 close-on-exec, and more only up to the first gap. */
import { closeSync, readdirSync, readFileSync } from 'node:fs';

/** `O_CLOEXEC` of Linux on x64 and arm64, as `fdinfo` shows it in `flags:`, octal (proc_pid_fdinfo(5)). */
const closeOnExec = 0o2000000;

/** Above `highest`, unless marked close-on-exec. Returns them. Linux only; throws without `/proc`. */
export function closeInheritedDescriptors(highest: number): readonly number[] {
  const inherited = readdirSync('/proc/self/fd')
    .map(Number)
    .filter((descriptor) => descriptor > highest && isInheritedByChildren(descriptor));
  for (const descriptor of inherited) closeSync(descriptor);
  return inherited;
}

function isInheritedByChildren(descriptor: number): boolean {
  let info;
  try {
    info = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1');
  } catch {
    return false; // closed meanwhile, such as the one that listed the folder
  }
  const flags = /^flags:\s*([0-7]+)$/m.exec(info)?.[1];
  return flags === undefined || (Number.parseInt(flags, 8) & closeOnExec) === 0;
}
