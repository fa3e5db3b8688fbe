/** Where the keys of an encrypted store are: a record that is no session, and that no session can have the id of. */
import type { SessionId } from "../base/ids.ts";

export const keysId = "00000000000000000000000000" as SessionId;
