/**
 * Brings the keys to our version. So far there is one, and nothing to migrate: the first to come writes the
 * version down. A later version adds its steps here, under a key that is set only if it is not there and
 * expires, as lock.
 */
import { SidecarError } from "../../errors.ts";
import { schemaVersion, type Keys } from "./schema.ts";
import { script, type Server } from "./server.ts";

const agree = script(`
local found = redis.call('GET', KEYS[1])
if found then return found end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]
`);

/** Errors: `STORE_SCHEMA_NEWER`. */
export async function migrate(server: Server, keys: Keys): Promise<void> {
  const found = Number(await server.run(agree, [keys.schema], [schemaVersion]));
  if (found <= schemaVersion) return;
  throw new SidecarError(
    "STORE_SCHEMA_NEWER",
    `The keys under ${server.location.prefix} have version ${found}, made by a newer acp-sidecar; this one knows ${schemaVersion}: update it`,
    { data: { found, known: schemaVersion } },
  );
}
