import { titleEntry } from "../../session/rename.ts";
import type { RelayContext } from "../context.ts";
import type { LiveSession } from "../live/session.ts";
import { tellInfo } from "../methods/info.ts";

/** In our records and for every client on it; the agent keeps its own title, if it has one. */
export async function rename(_: RelayContext, live: LiveSession, title: string): Promise<string> {
  await live.journal.append([titleEntry(title, Date.now())]);
  await live.update({ title });
  await tellInfo(live, { title });
  return `This session is now called ${JSON.stringify(title)}.`;
}
