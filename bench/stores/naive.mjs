/** The naive peer: a JSON file per session, read, changed and written again as a whole, as many programs do it. */
import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { readdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";

export function jsonFiles(folder) {
  mkdirSync(folder, { recursive: true });
  const fileOf = (id) => path.join(folder, `${id}.json`);
  const load = async (id) => JSON.parse(await readFile(fileOf(id), "utf8"));
  const save = async (session) => {
    // A kill in between must not cost the session; a power cut may, for nothing is synced.
    await writeFile(`${fileOf(session.id)}.tmp`, JSON.stringify(session));
    await rename(`${fileOf(session.id)}.tmp`, fileOf(session.id));
  };
  const session = async (metadata) => {
    const id = randomUUID();
    await save({ id, cwd: "/project", updatedAtMs: Date.now(), metadata, entries: [] });
    return { id, head: 0 };
  };
  const all = async () => {
    const names = (await readdir(folder)).filter((name) => name.endsWith(".json"));
    const found = [];
    for (let at = 0; at < names.length; at += 32) {
      const some = names.slice(at, at + 32).map((name) => load(name.slice(0, -".json".length)));
      found.push(...(await Promise.all(some)));
    }
    return found.sort((a, b) => b.updatedAtMs - a.updatedAtMs);
  };
  return {
    name: "JSON files",
    session,
    listed: session,
    get: ({ id }) => load(id),
    append: async ({ id }, entries) => {
      const session = await load(id);
      session.entries = session.entries.concat(entries);
      session.updatedAtMs = Date.now();
      await save(session);
      return session.entries.length;
    },
    fillsAtOnce: true,
    read: async ({ id }, from = 1) => (await load(id)).entries.slice(from - 1).length,
    cursorAt: (offset) => offset,
    page: async (cursor = 0, limit = 50) => ({ found: (await all()).slice(cursor, cursor + limit).length }),
    find: async (metadata) => {
      const wanted = Object.entries(metadata);
      return (await all()).filter((each) => wanted.every(([key, value]) => each.metadata[key] === value))
        .length;
    },
    close: async () => {},
  };
}
