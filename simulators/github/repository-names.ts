/** Names of repositories: which ones GitHub takes, and how it tells them apart. */

/** Owner and name as GitHub matches them: without regard to case. */
export const nameKey = (owner: string, name: string): string => `${owner}/${name}`.toLowerCase();

export function requireName(name: string): void {
  if (!/^[A-Za-z0-9_.-]{1,100}$/.test(name) || /^\.+$/.test(name))
    throw new Error(`not a name GitHub would take: ${name}`);
}
