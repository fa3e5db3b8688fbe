/** Ids of writes, by which a second try learns that the first one got through. */
import { randomUUID } from "node:crypto";

/** Gives ids that no other write has, of this process or any other. */
export function writeIds(): () => string {
  const writer = randomUUID();
  let writes = 0;
  return () => `${writer}.${(writes += 1)}`;
}
