/** `sessions rename`: another title. */
import type { Invocation, Io } from "./command.ts";
import { oneLine, print, printJson } from "./print.ts";
import { sessionAt, withSessions } from "./sessions.ts";

export function renameSession(invocation: Invocation, io: Io): Promise<number> {
  const [address = "", ...words] = invocation.operands;
  return withSessions(invocation, io, async (registry) => {
    const { id } = await sessionAt(registry, address, io);
    const { title = "" } = await registry.rename(id, words.join(" "));
    if (invocation.flags["json"]) await printJson(io, { id, title });
    else await print(io, oneLine(`Renamed ${id} to ${JSON.stringify(title)}`) + "\n");
    return 0;
  });
}
