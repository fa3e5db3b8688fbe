import { loadConfig, type LoadedConfig } from "../config/load.ts";
import { surroundings } from "../config/paths.ts";
import { checkStoreUrl } from "../store/open.ts";
import type { Invocation, Io } from "./command.ts";

/** The configuration that a command line asks for. Errors: `CONFIG_INVALID`. */
export async function configOf(invocation: Invocation, io: Io): Promise<LoadedConfig> {
  const { settings, configFile, agent } = invocation;
  const at = surroundings(io.env);
  const loaded = await loadConfig({ flags: settings, file: configFile, agent, surroundings: at });
  // A store is opened late; that there is none of this kind is said at once.
  checkStoreUrl(loaded.config.store);
  return loaded;
}
