/**
 * Closes descriptors that this process inherited and that its children would inherit too. Node has no call
 * for it: it marks descriptors 3 to 15 close-on-exec at its start, and further ones only up to the first gap.
 */
import { closeSync, readdirSync, readFileSync } from 'node:fs';

/** `O_CLOEXEC` of Linux on x64 and arm64, as `fdinfo` shows it in `flags:`, octal (proc_pid_fdinfo(5)). */
const closeOnExec = 0o2000000;

/**
 * Closes every descriptor above `highest` that is not marked close-on-exec. Everything that Node itself opens
 * is marked. Returns the closed numbers. Linux only; throws if `/proc` is not mounted.
 */
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
