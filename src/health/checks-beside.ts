/** What stands beside the store: the search index, the key, the audit log. */
import { access, constants, stat } from "node:fs/promises";
import path from "node:path";
import { auditFileOf } from "../audit/open.ts";
import { tailOfFile } from "../audit/tail.ts";
import { systemCodeOf } from "../base/errors.ts";
import { keyAtHand } from "../care/keys.ts";
import { Searcher } from "../history/search/search.ts";
import { SessionRegistry } from "../session/registry.ts";
import { newestOf } from "./checks-store.ts";
import type { HealthCheck } from "./check.ts";

export const indexCheck: HealthCheck = {
  name: "search index",
  isVital: false,
  look: async ({ store, cacheFolder }) => {
    const registry = new SessionRegistry({ store });
    const searcher = new Searcher(registry, { cacheFolder });
    try {
      const state = await searcher.state();
      if (state === undefined) return { ok: true, words: "none: nobody has searched" };
      const newest = await newestOf(store);
      const isBehind = newest !== undefined && newest.updatedAtMs > state.newestMs;
      const how = isBehind ? "behind, until the next search" : "up to date";
      return {
        ok: true,
        words: `${state.sessions} ${state.sessions === 1 ? "session" : "sessions"}, ${how}`,
      };
    } finally {
      await searcher.close();
      await registry.close();
    }
  },
};

export const keyCheck: HealthCheck = {
  name: "key",
  isVital: true,
  look: async ({ store, config }) => {
    const { encryptionKey } = config;
    if (encryptionKey === undefined || !store.capabilities.persistent)
      return { ok: true, words: "none: the store is not encrypted" };
    // A program that unlocks a vault is not run to look whether all is well.
    if (encryptionKey.startsWith("command:"))
      return { ok: true, words: "by a command, which gave it when the store was opened" };
    return { ok: true, words: `at hand, ${await keyAtHand(config)}` };
  },
};

export const auditCheck: HealthCheck = {
  name: "audit log",
  isVital: ({ audit }) => audit === "required",
  look: async ({ config, env }) => {
    if (config.audit === "off") return { ok: true, words: "off" };
    const file = auditFileOf(config, env);
    if (file === undefined) return { ok: true, words: "none: no home directory is known" };
    const fix = `make ${file} and its folder writable for you, or name another --audit-file`;
    try {
      const { size } = await stat(file);
      await access(file, constants.R_OK | constants.W_OK);
      if (size > 0 && tailOfFile(file).last === undefined)
        return {
          ok: false,
          words: "ends with no line of ours",
          what: `The audit log ${file} ends with no line of ours`,
          fix: "see what was changed with acp-sidecar audit verify",
        };
      return { ok: true, words: "can be written, its end is as it was written" };
    } catch (error) {
      if (systemCodeOf(error) === "ENOENT") return begun(file, fix);
      const words = `cannot be written (${systemCodeOf(error) ?? "unknown"})`;
      return { ok: false, words, what: `The audit log ${file} ${words}`, fix };
    }
  },
};

/** Where it is not there yet, its folder or the nearest above it must let us make it. */
async function begun(file: string, fix: string) {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    try {
      await access(folder, constants.W_OK);
      return { ok: true, words: "nothing is recorded yet" };
    } catch (error) {
      if (systemCodeOf(error) === "ENOENT" && folder !== path.dirname(folder)) continue;
      const words = `cannot be made (${systemCodeOf(error) ?? "unknown"})`;
      return { ok: false, words, what: `The audit log ${file} ${words}`, fix };
    }
  }
}
