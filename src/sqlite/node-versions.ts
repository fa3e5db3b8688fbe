/** Which Node has a SQLite that sessions may be trusted to. */

/** From here on it is no experiment any more, and says nothing on stderr. */
export function isReleased(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major > 25 || (major === 25 && minor >= 7) || (major === 24 && minor >= 15);
}

/** Before 3.51.3 two processes that write to one database may damage it. https://sqlite.org/wal.html#walresetbug */
export function isSafe(version = "0"): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  return major * 1e6 + minor * 1e3 + patch >= 3_051_003;
}
