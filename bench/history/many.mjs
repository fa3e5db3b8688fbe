/** Commands that look at every session of a store with very many. */
import path from "node:path";
import { sidecar } from "../contenders.mjs";
import { libraryOf } from "../store.mjs";
import { measured } from "./cpu.mjs";

/** Created at once, so that they share commits. */
const together = 1000;

export async function historyMany({ folder, options }) {
  const { sessions, binary } = options;
  const { library, store } = sidecar(folder, binary, "many");
  await fill(await libraryOf(library), store, sessions);
  const env = { XDG_CACHE_HOME: path.join(folder, "cache") };
  const seconds = async (...command) => {
    const argv = [binary, ...command, "--store", store];
    return (await measured(argv, folder, env)).seconds;
  };
  const tree = await seconds("sessions", "tree");
  const first = await seconds("usage");
  const again = await seconds("usage");
  const row = (what, figure, ratio = "") => ({
    what: `${what} over ${sessions.toLocaleString("en")} sessions, seconds of one core`,
    figures: { sidecar: figure },
    ratio,
    wanted: "≤ 1 s",
    met: figure <= 1,
  });
  return [row("sessions tree", tree), row("usage", again, `the first time ${first.toFixed(1)} s`)];
}

/** Every tenth is a fork of one before it. */
export async function fill({ openStore, newSessionId }, url, sessions) {
  const store = await openStore(url);
  const ids = [];
  const startMs = Date.now() - sessions * 1000;
  for (let from = 0; from < sessions; from += together) {
    const batch = [];
    for (let at = from; at < Math.min(sessions, from + together); at += 1) {
      // Of those that are made at once none is there for the others yet.
      const parentId = at % 10 === 9 && from > 0 ? ids[at - together] : undefined;
      ids.push(newSessionId());
      batch.push({ ...sessionOf(at, startMs + at * 1000), id: ids[at], ...(parentId && forkOf(parentId)) });
    }
    await Promise.all(batch.map((each) => store.create(each)));
  }
  await store.close();
}

function sessionOf(number, atMs) {
  return {
    createdAtMs: atMs,
    updatedAtMs: atMs,
    title: `Session number ${number}`,
    cwd: `/home/ada/project-${number % 20}`,
    additionalDirectories: [],
    agent: { info: { name: "bench-agent", version: "1.0.0" } },
    mcpServerNames: [],
    agentSessionIds: [`00000000-0000-4000-8000-${String(number).padStart(12, "0")}`],
    settings: {},
    metadata: {},
  };
}

function forkOf(parentId) {
  return { lineage: { parentId, atSeq: 0 } };
}
