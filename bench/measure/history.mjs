/** Search over many conversations: making the index, keeping it up to date, and asking it. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { sidecar } from "../contenders.mjs";
import { corpus } from "../corpus.mjs";
import { heldSession, libraryOf } from "../store.mjs";
import { median } from "../stats.mjs";

const perSession = 100;
const perTurn = 10;
/** Between the sessions that were there before. */
const apartMs = 10 * 60_000;

export async function history({ folder, quick, options }) {
  const messages = options.historyMessages;
  const { library: file } = sidecar(folder, options.binary, "history");
  const library = await libraryOf(file);
  const url = `sqlite:${path.join(folder, "history.db")}`;
  const store = await library.openStore(url);
  const scanned = path.join(folder, "exported");
  const words = corpus();
  const chars = await fill(store, library, { folder, messages, words, scanned });
  const registry = new library.SessionRegistry({ store });
  const cacheFolder = path.join(folder, "cache", "acp-sidecar");
  const searcher = new library.Searcher(registry, { cacheFolder });
  const begunMs = performance.now();
  const begunCpuMs = cpuMs();
  const { messages: indexed } = await searcher.catchUp();
  const seconds = (performance.now() - begunMs) / 1000;
  const cpuSeconds = (cpuMs() - begunCpuMs) / 1000;
  const caughtUp = await catchUpOnce(store, library, searcher, { folder, words });
  const asked = await ask(searcher, words, quick ? 100 : 500);
  await searcher.close();
  await registry.close();
  await store.close();
  const bytes = sizeOf(path.join(cacheFolder, "search"));
  const fresh = freshProcess({ binary: options.binary, url, folder, words });
  const scan = plainScan(scanned, words);
  return [
    row(
      "messages indexed in a second",
      Math.round(indexed / seconds),
      `${indexed.toLocaleString("en")} messages; ${Math.round(indexed / cpuSeconds)} by processor time`,
      "≥ 20,000",
      indexed / seconds >= 20_000,
    ),
    row(
      "index, × the text that it covers",
      (bytes / chars).toFixed(2),
      `${(bytes / 1e6).toFixed(0)} MB`,
      "≤ 0.5",
      bytes / chars <= 0.5,
    ),
    row(
      "a search, p50 and p95, ms",
      `${asked.p50.toFixed(1)} and ${asked.p95.toFixed(1)}`,
      `${asked.cpu}; ${scan}`,
      "p95 ≤ 20 ms",
      asked.p95 <= 20,
    ),
    row(
      "catching up with 1,000 new messages, ms",
      Math.round(caughtUp.ms),
      `${Math.round(caughtUp.cpuMs)} by processor time`,
      "≤ 100 ms",
      caughtUp.ms <= 100,
    ),
    row(
      "a fresh process, ms",
      Math.round(fresh.ms),
      `${Math.round(fresh.cpuMs)} by processor time`,
      "≤ 250 ms",
      fresh.ms <= 250,
    ),
    row("a fresh process, MB", Math.round(fresh.mb), "", "≤ 120 MB", fresh.mb <= 120),
  ];
}

function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function row(what, sidecarFigure, ratio, wanted, met) {
  return { what: `search: ${what}`, figures: { sidecar: sidecarFigure }, ratio, wanted, met };
}

/** Returns how many bytes were said. */
async function fill(store, library, { folder, messages, words, scanned }) {
  mkdirSync(scanned, { recursive: true });
  let bytes = 0;
  const beganMs = Date.now() - (messages / perSession + 1) * apartMs;
  for (let done = 0; done < messages; done += perSession) {
    const number = done / perSession;
    const atMs = beganMs + number * apartMs;
    const project = path.join(folder, `project-${number % 20}`);
    const { id, lease } = await heldSession(store, library, project, {}, atMs);
    let head = 0;
    const texts = [];
    for (let turn = 0; turn < perSession / perTurn; turn += 1) {
      const entries = words.turn(perTurn).map((entry) => ({ ...entry, atMs }));
      for (const { data } of entries) texts.push(data);
      head = await store.seal(id, { from: head + 1, head }, entries, lease);
    }
    await store.release(lease);
    const text = texts.map(textIn).join("\n");
    bytes += Buffer.byteLength(text);
    writeFileSync(path.join(scanned, `${id}.txt`), text);
  }
  return bytes;
}

function textIn(data) {
  const { prompt, update } = JSON.parse(data);
  const blocks = prompt ?? [update?.content].flat().map((item) => item?.content ?? item);
  return blocks.map((block) => block?.text ?? "").join("\n");
}

async function catchUpOnce(store, library, searcher, { folder, words }) {
  const [times, cpuTimes] = [[], []];
  for (let round = 0; round < 5; round += 1) {
    for (let n = 0; n < 10; n += 1) {
      const { id, lease } = await heldSession(store, library, folder);
      let head = 0;
      for (let turn = 0; turn < 10; turn += 1)
        head = await store.seal(id, { from: head + 1, head }, words.turn(perTurn), lease);
      await store.release(lease);
    }
    const [beganMs, beganCpuMs] = [performance.now(), cpuMs()];
    await searcher.catchUp();
    times.push(performance.now() - beganMs);
    cpuTimes.push(cpuMs() - beganCpuMs);
  }
  return { ms: median(times), cpuMs: median(cpuTimes) };
}

async function ask(searcher, words, times) {
  const [took, cpu] = [[], []];
  for (let n = 0; n < times; n += 1) {
    const query = words.query();
    const [beganMs, beganCpuMs] = [performance.now(), cpuMs()];
    await searcher.search(query);
    took.push(performance.now() - beganMs);
    cpu.push(cpuMs() - beganCpuMs);
  }
  const at = (list, part) => list.sort((a, b) => a - b)[Math.floor(times * part)];
  const byCpu = `${at(cpu, 0.5).toFixed(1)} and ${at(cpu, 0.95).toFixed(1)} by processor time`;
  return { p50: at(took, 0.5), p95: at(took, 0.95), cpu: byCpu };
}

/** As a person asks: a process that starts, opens store and index, and answers. */
function freshProcess({ binary, url, folder, words }) {
  const [times, cpuTimes] = [[], []];
  let mb = 0;
  for (let n = 0; n < 7; n += 1) {
    const beganMs = performance.now();
    const { stderr, status } = spawnSync(
      "/usr/bin/time",
      ["-f", "%U %S %M", process.execPath, binary, "search", words.query(), "--store", url],
      { env: { ...process.env, HOME: folder, XDG_CACHE_HOME: path.join(folder, "cache") }, encoding: "utf8" },
    );
    if (status > 1) throw new Error(`search ended with ${status}: ${stderr}`);
    times.push(performance.now() - beganMs);
    const [user, system, kilobytes] = stderr.trim().split("\n").at(-1).split(" ").map(Number);
    cpuTimes.push((user + system) * 1000);
    mb = Math.max(mb, kilobytes / 1000);
  }
  return { ms: median(times), cpuMs: median(cpuTimes), mb };
}

/** What it takes to look through the same texts, where there is a program for it. */
function plainScan(folder, words) {
  const times = [];
  for (let n = 0; n < 5; n += 1) {
    const beganMs = performance.now();
    const { error } = spawnSync("rg", ["-i", "-l", words.query().split(" ")[0], folder]);
    if (error !== undefined) return "ripgrep is not installed";
    times.push(performance.now() - beganMs);
  }
  return `ripgrep ${median(times).toFixed(0)} ms`;
}

function sizeOf(folder) {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0);
}
