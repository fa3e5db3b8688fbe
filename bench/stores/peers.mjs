/**
 * Session stores of others, from the registry. They are no dependencies of ours: `--peers` installs them, at these
 * versions and without their scripts, into a folder that neither git nor the lock file knows.
 */
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const folder = fileURLToPath(new URL("../../node_modules/.cache/acp-sidecar-bench/", import.meta.url));

const dependencies = {
  "@langchain/core": "1.2.13",
  "@langchain/langgraph-checkpoint": "1.1.5",
  "@langchain/langgraph-checkpoint-sqlite": "1.0.4",
  "@openai/agents-core": "0.20.0",
  keyv: "5.6.0",
  "keyv-file": "5.3.5",
  zod: "4.6.7",
};

const wanted = JSON.stringify({ private: true, dependencies });

export function peersInstalled() {
  const file = path.join(folder, "installed.json");
  return existsSync(file) && readFileSync(file, "utf8") === wanted;
}

/** Needs the registry, about 120 MB and some ten seconds; nothing when they are there already. */
export function installPeers() {
  if (peersInstalled()) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "package.json"), wanted);
  const args = [
    "install",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-package-lock",
    "--loglevel=error",
  ];
  const shell = process.platform === "win32";
  const { status } = spawnSync("npm", args, { cwd: folder, stdio: ["ignore", 2, 2], shell });
  if (status !== 0) throw new Error("The peers cannot be installed; the lines above say why");
  // Without its scripts it has no binding; so theirs and ours is the same SQLite, that of this checkout.
  rmSync(path.join(folder, "node_modules/better-sqlite3"), { recursive: true, force: true });
  writeFileSync(path.join(folder, "installed.json"), wanted);
}

async function load(name) {
  const found = createRequire(path.join(folder, "package.json")).resolve(name);
  return import(pathToFileURL(found).href);
}

/** OpenAI's agents SDK: its one session that keeps anything by itself, in memory. */
export async function agentsMemory() {
  const { MemorySession } = await load("@openai/agents-core");
  return {
    name: "agents SDK",
    session: async () => ({ items: new MemorySession(), head: 0 }),
    append: async (session, entries) => {
      await session.items.addItems(entries);
      return session.head + entries.length;
    },
    fillsAtOnce: true,
    read: async ({ items }, from = 1) => (await items.getItems()).length - from + 1,
    close: async () => {},
  };
}

/** Keyv over a Map, or over a file per key in `directory`: a session is one value, as session layers keep theirs. */
export async function keyv(directory) {
  const [{ Keyv }, { KeyvFile }] = [await load("keyv"), await load("keyv-file")];
  const file = { filename: `${directory}/`, separatedFile: true };
  const all = new Keyv(directory === undefined ? {} : { store: new KeyvFile(file) });
  const session = async (metadata) => {
    const id = randomUUID();
    await all.set(id, { id, cwd: "/project", updatedAtMs: Date.now(), metadata, entries: [] });
    return { id, head: 0 };
  };
  return {
    name: directory === undefined ? "keyv" : "keyv-file",
    session,
    get: ({ id }) => all.get(id),
    append: async ({ id }, entries) => {
      const session = await all.get(id);
      session.entries = session.entries.concat(entries);
      session.updatedAtMs = Date.now();
      await all.set(id, session);
      return session.entries.length;
    },
    fillsAtOnce: true,
    read: async ({ id }, from = 1) => (await all.get(id)).entries.length - from + 1,
    close: () => all.disconnect(),
  };
}

/** LangGraph's checkpointer in SQLite: a thread is a session, and each step stores the whole of its state. */
export async function langGraph(directory) {
  mkdirSync(directory, { recursive: true });
  const { SqliteSaver } = await load("@langchain/langgraph-checkpoint-sqlite");
  const { emptyCheckpoint, uuid6 } = await load("@langchain/langgraph-checkpoint");
  const saver = SqliteSaver.fromConnString(path.join(directory, "checkpoints.db"));
  const made = [];
  const save = async (session, messages) => {
    const { head, metadata } = session;
    const checkpoint = { ...emptyCheckpoint(), id: uuid6(head), channel_values: { messages } };
    const { configurable } = await saver.put(session.config, checkpoint, {
      source: "loop",
      step: head,
      ...metadata,
    });
    session.config = { configurable };
    return messages.length;
  };
  const session = async (metadata = {}) => {
    const thread = { thread_id: randomUUID(), checkpoint_ns: "" };
    const made = { config: { configurable: thread }, latest: { configurable: thread }, head: 0, metadata };
    await save(made, []);
    return made;
  };
  return {
    name: "LangGraph",
    session,
    listed: async (metadata) => void made.push((await session(metadata)).config.configurable.checkpoint_id),
    get: ({ latest }) => saver.getTuple(latest),
    append: async (session, entries) => {
      const { checkpoint } = await saver.getTuple(session.latest);
      return save(session, checkpoint.channel_values.messages.concat(entries));
    },
    fillsAtOnce: true,
    read: async ({ latest }, from = 1) =>
      (await saver.getTuple(latest)).checkpoint.channel_values.messages.length - from + 1,
    cursorAt: (offset) => made.toSorted().at(-offset),
    page: async (before, limit = 50) => {
      const options = {
        limit,
        ...(before !== undefined && { before: { configurable: { checkpoint_id: before } } }),
      };
      let found = 0;
      for await (const _ of saver.list({}, options)) found += 1;
      return { found };
    },
    find: async (filter) => {
      let found = 0;
      for await (const _ of saver.list({}, { filter, limit: 50 })) found += 1;
      return found;
    },
    close: async () => saver.db.close(),
  };
}
