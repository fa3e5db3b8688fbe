/** The HTTP API: pages of very many sessions and of a very long one, requests a second, and many who follow. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import fs from "node:fs";
import path from "node:path";
import { BenchClient } from "../client.mjs";
import { sidecar } from "../contenders.mjs";
import { Requests } from "../http/requests.mjs";
import { fill } from "../history/many.mjs";
import { median, quantile } from "../stats.mjs";
import { entry, libraryOf, openStoreOf, storeSession } from "../store.mjs";
import { memoryOf } from "./memory.mjs";

const followers = 200;

export async function http({ folder, quick, options }) {
  const contender = sidecar(folder, options.binary, "http");
  const library = await libraryOf(contender.library);
  const entries = quick ? 50_000 : 1_000_000;
  await fill(library, contender.store, options.sessions);
  const store = await openStoreOf(contender);
  const { id } = await storeSession(store, library, { cwd: folder, entries, turnOf });
  await store.close();
  const server = await serving(contender, folder, options.binary);
  try {
    const pages = await ofPages(server, id, entries);
    const rates = await ofRates(server, id, folder, quick ? 1000 : 5000);
    const following = await ofFollowers(server, contender, folder, quick ? 20 : 60);
    return rowsOf({ ...pages, ...rates, ...following }, options.sessions, entries);
  } finally {
    await server.close();
  }
}

function rowsOf(found, sessions, entries) {
  const row = (what, figures, ratio, wanted, met) => ({ what, figures, ratio, wanted, met });
  const many = sessions.toLocaleString("en");
  return [
    row(
      `a page of 50 of ${many} sessions over HTTP, p95, ms`,
      { sidecar: found.list },
      "",
      "≤ 5 ms",
      found.list <= 5,
    ),
    row(
      `a page of 50 items of ${entries.toLocaleString("en")} entries over HTTP, anywhere, p95, ms`,
      { sidecar: found.history },
      `newest: ${found.newest.toFixed(1)} ms`,
      "≤ 10 ms",
      found.history <= 10,
    ),
    row(
      "the same page again and again, requests/s; beside it hono with the text in memory",
      { bytes: Math.round(found.plainRate), sidecar: Math.round(found.rate) },
      (found.rate / found.plainRate).toFixed(2),
      "≥ 0.4, ≥ 1,000/s",
      found.rate / found.plainRate >= 0.4 && found.rate >= 1000,
    ),
    row(
      "a scrape of /metrics, p50 of a process's first 50, ms",
      { sidecar: found.scrape },
      `the first of all: ${found.firstScrape.toFixed(0)} ms, after 200: ${found.warmScrape.toFixed(1)}`,
      "≤ 5 ms",
      found.scrape <= 5,
    ),
    row(
      `a turn of 100 updates while ${followers} follow it, ms; beside it while nobody does`,
      { agent: found.alone, sidecar: found.followed },
      (found.alone / found.followed).toFixed(2),
      "≥ 0.95",
      found.alone / found.followed >= 0.95,
    ),
    row(
      `memory that ${followers} followers take, MB`,
      { sidecar: found.followersMb },
      "",
      "≤ 60 MB",
      found.followersMb <= 60,
    ),
  ];
}

export async function serving({ store, env }, folder, binary) {
  // A scrape asks all that serve in the same runtime folder: nobody else's.
  const own = { ...process.env, ...env, XDG_RUNTIME_DIR: folder, TMPDIR: folder };
  const secret = execFileSync(
    process.execPath,
    [binary, "token", "create", "--name", "bench", "--scope", "admin", "--store", store],
    { env: own, encoding: "utf8" },
  );
  const headers = { authorization: `Bearer ${secret.trim()}` };
  return started(
    [binary, "http", "--listen", "127.0.0.1:0", "--rate", "1000000", "--store", store],
    own,
    headers,
  );
}

async function started(args, env, headers) {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"], env });
  const [said] = await once(child.stdout, "data");
  const url = /http:\S+/.exec(String(said))[0];
  const close = async () => {
    child.kill("SIGTERM");
    await once(child, "exit");
  };
  return { url, headers, pid: child.pid, close };
}

/** Other pages each time, so that none is known. */
async function ofPages({ url, headers }, id, entries) {
  const requests = new Requests(url, headers);
  const list = await get(url, headers, "api/sessions?limit=50");
  const lists = ["/api/sessions?limit=50"];
  for (let page = list; lists.length < 100 && page.nextCursor !== undefined;) {
    lists.push(`/api/sessions?limit=50&cursor=${page.nextCursor}`);
    page = await get(url, headers, lists.at(-1).slice(1));
  }
  const places = Array.from({ length: 100 }, (_, at) => Math.floor((entries * (at + 1)) / 101));
  const include = "limit=50&include=thoughts,tools";
  const histories = places.map((at) => `/api/sessions/${id}/history?${include}&before=${at}`);
  const newest = Array.from(
    { length: 20 },
    (_, at) => `/api/sessions/${id}/history?${include}&before=${entries - at}`,
  );
  // The first ones compile what they run.
  await requests.times(histories.map((each) => `${each}1`).slice(0, 50));
  const scrapes = Array.from({ length: 50 }, () => "/metrics");
  const found = {
    list: quantile(await requests.times(lists), 0.95),
    history: quantile(await requests.times(histories), 0.95),
    newest: median(await requests.times(newest)),
    firstScrape: (await requests.times(["/metrics"]))[0],
    scrape: median(await requests.times(scrapes)),
    // V8 compiles what is used some hundred times.
    warmScrape: median((await requests.times([...scrapes, ...scrapes, ...scrapes, ...scrapes])).slice(-50)),
  };
  requests.close();
  return found;
}

async function ofRates(server, id, folder, ms) {
  const at = `/api/sessions/${id}/history?limit=50`;
  const file = path.join(folder, "page.json");
  fs.writeFileSync(file, JSON.stringify(await get(server.url, server.headers, at.slice(1))));
  const plain = await started(
    [fileURLToPath(new URL("../http/plain.mjs", import.meta.url)), file],
    process.env,
    {},
  );
  const [ours, theirs] = [server, plain].map(({ url, headers }) => new Requests(url, headers, 16));
  const [rates, plainRates] = [[], []];
  for (let round = 0; round < 4; round++) {
    rates.push(await ours.rate(at, ms / 4));
    plainRates.push(await theirs.rate(at, ms / 4));
  }
  for (const each of [ours, theirs]) each.close();
  await plain.close();
  return { rate: median(rates), plainRate: median(plainRates) };
}

async function ofFollowers({ url, headers, pid }, contender, folder, turns) {
  const client = new BenchClient(contender);
  const sessionId = await client.open(folder);
  await timedTurns(client, sessionId, 10);
  const alone = await timedTurns(client, sessionId, turns);
  const before = memoryOf(pid).residentMb;
  const ending = new AbortController();
  const streams = await Promise.all(
    Array.from({ length: followers }, () =>
      fetch(`${url}api/sessions/${sessionId}/events`, { headers, signal: ending.signal }),
    ),
  );
  const readings = streams.map(async ({ body }) => {
    try {
      for await (const _ of body);
    } catch {
      // It was ended.
    }
  });
  const followed = await timedTurns(client, sessionId, turns);
  const followersMb = Math.max(0, memoryOf(pid).residentMb - before);
  ending.abort();
  await Promise.all(readings);
  await client.close();
  return { alone, followed, followersMb };
}

/** An agent is not always at work: between its turns others have theirs. */
async function timedTurns(client, sessionId, turns) {
  const times = [];
  for (let turn = 0; turn < turns; turn++) {
    const atMs = performance.now();
    await client.prompt(sessionId, "stream 100 text", { keep: false });
    times.push(performance.now() - atMs);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return median(times);
}

async function get(url, headers, at) {
  const answer = await fetch(url + at, { headers });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

export function turnOf(turn) {
  const text = (words) => ({ type: "text", text: words });
  const update = (sessionUpdate, fields) => entry("update", { update: { sessionUpdate, ...fields } });
  return [
    entry("prompt", { prompt: [text(`What about number ${turn}? `.repeat(4))] }),
    update("agent_thought_chunk", { content: text(`Number ${turn} is like the others. `.repeat(6)) }),
    update("tool_call", {
      toolCallId: `call-${turn}`,
      title: `Look at ${turn}`,
      kind: "read",
      status: "completed",
      content: [{ type: "content", content: text(`contents ${turn} `.repeat(30)) }],
    }),
    update("agent_message_chunk", { content: text(`It is number ${turn}. `.repeat(20)) }),
    entry("end", { result: { stopReason: "end_turn" } }),
  ];
}
