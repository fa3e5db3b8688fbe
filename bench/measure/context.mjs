/** What it costs to know of files: at a turn's end, before a prompt, and at the first look at a large folder. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { Samples } from "../stats.mjs";

const known = 500;

export async function context({ folder, quick }) {
  const parts = await source(folder);
  const samples = new Samples();
  const rounds = quick ? 3 : 15;
  const place = path.resolve(folder, "files");
  const session = await sessionOf(parts, place, known);
  for (let round = 0; round < rounds; round++) {
    await session.turn(round);
    const taken = await timed(async () => session.take());
    samples.add("turn", taken.ms);
    const noted = await timed(async () => session.note());
    samples.add("note", noted.ms);
    samples.add("cpu", noted.cpuMs);
  }
  const large = repository(path.resolve(folder, "large"), quick ? 20_000 : 100_000);
  for (let round = 0; round < (quick ? 2 : 5); round++) {
    samples.add("first", (await timed(() => parts.discover(large, { timeMs: 10_000 }))).ms);
    samples.add("git", (await timed(async () => gitIn(large)("status", "--porcelain=v2"))).ms);
  }
  const [turn, note, cpu, first, floor] = ["turn", "note", "cpu", "first", "git"].map((name) =>
    samples.median(name),
  );
  const row = (what, ms, mostMs, counts = true) => ({
    what,
    figures: { sidecar: ms.toFixed(1) },
    ratio: `${ms.toFixed(1)} ms`,
    wanted: mostMs === undefined ? "–" : `≤ ${mostMs} ms`,
    met: !counts || mostMs === undefined || ms <= mostMs,
  });
  return [
    row(`a snapshot after a turn that told of one file, ${known} known (nobody waits for it), ms`, turn),
    row(`what has changed of ${known} known files, before a prompt, ms`, note, 5),
    row("the same, ms of processor time", cpu, 5),
    row("first look at a folder of 100,000 files in git, ms", first, 300, !quick),
    row("git status by itself there, ms", floor),
  ];
}

/** From the source: the library does not hand them out by themselves. */
async function source(folder) {
  const outfile = path.resolve(folder, "context.mjs");
  const contents = `
    export { Knowing } from "./context/knowing.ts";
    export { contextEntry } from "./session/context-entry.ts";
    export { discover } from "./context/discovery.ts";
    export { SessionRegistry } from "./session/registry.ts";
    export { openMemoryStore } from "./store/memory/memory.ts";`;
  await build({
    stdin: { contents, resolveDir: new URL("../../src/", import.meta.url).pathname, loader: "ts" },
    outfile,
    bundle: true,
    external: ["better-sqlite3", "pg", "ioredis"],
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "error",
  });
  return import(pathToFileURL(outfile).href);
}

async function sessionOf({ Knowing, SessionRegistry, openMemoryStore, contextEntry }, cwd, count) {
  const files = Array.from({ length: count }, (_, at) => path.join(cwd, `src/${at % 20}`, `file-${at}.ts`));
  for (const file of files) {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, `contents of ${file}\n`.repeat(50));
    // Old enough that their times tell.
    fs.utimesSync(file, 1, 1);
  }
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  const registry = new SessionRegistry({ store: openMemoryStore() });
  const { id } = await registry.create({ cwd });
  const { journal, record } = await registry.open(id);
  const knowing = new Knowing(registry, id);
  const now = () => ({ ...record, headSeq: journal.headSeq });
  const read = (file, asked) => {
    const [method, atMs] = ["fs/read_text_file", Date.now()];
    const content = fs.readFileSync(file, "utf8");
    return [
      { kind: "request", atMs, data: JSON.stringify({ id: asked, method, params: { path: file } }) },
      { kind: "response", atMs, data: JSON.stringify({ id: asked, method, result: { content } }) },
    ];
  };
  const keep = async () => {
    const { data } = await knowing.take(now(), journal.sealedSeq);
    if (data === undefined) return;
    await journal.seal([contextEntry(data)]);
    knowing.noteStored(journal.headSeq, data);
  };
  await journal.seal(files.flatMap((file, at) => read(file, at)));
  await keep();
  return {
    turn: (round) => journal.seal(read(files[round % files.length], round)),
    take: keep,
    note: () => knowing.note(now(), journal.sealedSeq),
  };
}

/** Tracked by git, as a checkout leaves it. */
function repository(place, count) {
  const perFolder = 200;
  for (let at = 0; at < count; at++) {
    const folder = path.join(
      place,
      `src/${Math.floor(at / perFolder / 20)}`,
      `${Math.floor(at / perFolder) % 20}`,
    );
    if (at % perFolder === 0) fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, `file-${at}.ts`), "");
  }
  const git = gitIn(place);
  git("init");
  git("add", ".");
  git("commit", "-m", "1");
  return place;
}

function gitIn(place) {
  return (...args) =>
    execFileSync("git", ["-c", "user.name=n", "-c", "user.email=e@x", "-C", place, ...args], {
      stdio: "ignore",
    });
}

async function timed(act) {
  const [began, beganMs] = [process.cpuUsage(), performance.now()];
  await act();
  const { user, system } = process.cpuUsage(began);
  return { ms: performance.now() - beganMs, cpuMs: (user + system) / 1_000 };
}
