/** What the clients on a session are told of it that no agent has said. */
import type { Client } from "../live/attachments.ts";
import type { LiveSession } from "../live/session.ts";

/** @param asker knows it by the answer to its request */
export async function tellInfo(live: LiveSession, info: object, asker?: Client): Promise<void> {
  const update = { sessionUpdate: "session_info_update", ...info };
  const told = [...live.attachments].filter(({ client }) => client !== asker);
  await Promise.all(told.map((each) => each.sendStored([JSON.stringify({ update })])));
}
