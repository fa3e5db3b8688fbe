/** What every operation needs to know of where it works. */
import type { SessionId } from "../../base/ids.ts";
import type { Keys } from "./schema.ts";
import type { Server } from "./server.ts";

export interface Medium {
  readonly server: Server;
  readonly keys: Keys;
  /** As joined.ts tells. */
  readonly gets: readonly string[] | undefined;
  /** How long the server keeps what nobody writes to, in ms; empty for ever. */
  readonly retention: number | "";
  /** The keys of a script that writes to a session, with the list of sessions where it can be reached. */
  readonly writeKeys: (id: SessionId) => readonly string[];
}

export function mediumOn(server: Server, keys: Keys, gets: readonly string[] | undefined): Medium {
  const lists = server.clustered ? [] : [keys.activity];
  return {
    server,
    keys,
    gets,
    retention: server.location.retentionMs ?? "",
    writeKeys: (id) => [keys.record(id), keys.entries(id), keys.forks(id), ...lists],
  };
}
