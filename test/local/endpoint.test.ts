import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLogger } from "../../src/base/log.ts";
import { ownFolders } from "../../src/base/own-folder.ts";
import { endIn, statusIn } from "../../src/local/answers.ts";
import { ask } from "../../src/local/client.ts";
import {
  machineFigures,
  machineSnapshot,
  machineStatus,
  placesOf,
  type OwnEndpoint,
} from "../../src/local/machine.ts";
import { newPlace } from "../../src/local/place.ts";
import { familiesIn, valueIn } from "../figures/scrape.ts";
import { exchange, machine, process_, type Asked, type Machine } from "./rig.ts";

let here: Machine;
const opened: Asked[] = [];
beforeEach(() => {
  here = machine();
});
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  here.remove();
});

async function started(...args: Parameters<typeof process_> extends [Machine, ...infer Rest] ? Rest : never) {
  const process = await process_(here, ...args);
  opened.push(process);
  return process;
}

function socket(): string {
  const [first = ""] = here.sockets();
  return first;
}

describe.skipIf(process.platform === "win32")("the endpoint of a process", () => {
  it("is a socket of the user's alone, and gone at the end", async () => {
    const asked = await started();
    expect(fs.statSync(socket()).mode & 0o777).toBe(0o600);
    expect(fs.statSync(path.dirname(socket())).mode & 0o777).toBe(0o700);
    await asked.close();
    expect(here.sockets()).toEqual([]);
  });

  it("says what the process does, and when it was heard of last [REQ D2.2]", async () => {
    await started();
    const { processes, silent } = await machineStatus(here);
    expect(silent).toEqual([]);
    expect(processes).toMatchObject([
      {
        kind: "serve",
        pid: process.pid,
        agent: "echo",
        store: "memory:",
        client: { name: "tester" },
        heartbeatAtMs: 5,
        sessions: [{ id: "S1", turnSinceMs: 1000 }],
      },
    ]);
  });

  it("ends a session, says when it is not live there, and ends the process after its answer", async () => {
    const asked = await started();
    const end = (params: object) => ask(socket(), { method: "end", params, timeoutMs: 5000 }, endIn);
    expect(await end({ sessionId: "S1" })).toEqual({ kind: "answered", answer: { outcome: "ended" } });
    expect(await end({ sessionId: "S2" })).toEqual({ kind: "answered", answer: { outcome: "notLive" } });
    expect(await end({ process: true })).toEqual({ kind: "answered", answer: { outcome: "ending" } });
    await expect.poll(() => asked.ended).toEqual(["S1", "S2", "process"]);
    expect(await end({})).toMatchObject({ kind: "refused" });
    expect(await end({ sessionId: "S1", process: true })).toMatchObject({ kind: "refused" });
  });

  it("answers strangers' bytes with errors, and bounds them", async () => {
    await started();
    const codes = async (sent: string | Buffer) =>
      (await exchange(socket(), sent)).map(
        (line) => (JSON.parse(line) as { error?: { code: number } }).error?.code,
      );
    expect(await codes("hello\n")).toEqual([-32700]);
    expect(await codes('{"jsonrpc":"2.0","id":1,"method":"session/prompt"}\n')).toEqual([-32601]);
    expect(
      await codes(`{"jsonrpc":"2.0","id":1,"method":"status","params":{"x":"${"y".repeat(100_000)}"}}\n`),
    ).toEqual([-32600]);
    expect(await codes(Buffer.alloc(300_000, 0))).toHaveLength(1);
    expect(await codes("")).toEqual([]);
    expect((await machineStatus(here)).processes).toHaveLength(1);
  });

  it("of which there are too many connections answers those that come first", async () => {
    await started();
    const asked = Array.from({ length: 60 }, () =>
      ask(socket(), { method: "status", timeoutMs: 5000 }, statusIn),
    );
    const kinds = (await Promise.all(asked)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "answered").length).toBeGreaterThanOrEqual(32);
  });

  it("has a shorter place where the first one would be too long, and says so where none is short enough", async () => {
    const deep = path.join(here.folder, "x".repeat(90));
    fs.mkdirSync(deep);
    const short = await newPlace({ ...here.env, XDG_RUNTIME_DIR: deep });
    expect(short.startsWith(path.join(here.folder, "acp-sidecar-"))).toBe(true);
    await expect(newPlace({ XDG_RUNTIME_DIR: deep, TMPDIR: deep })).rejects.toMatchObject({
      code: "FILE_FAILED",
      message: expect.stringMatching(/10[37] bytes.*XDG_RUNTIME_DIR or TMPDIR/) as string,
    });
  });

  it("is not opened in a folder that others may enter, and nobody is looked for there; the log says so", async () => {
    const told: unknown[] = [];
    const [own = ""] = ownFolders(here.env);
    fs.mkdirSync(own);
    fs.chmodSync(own, 0o755);
    await started({ log: { ...silentLogger, warn: (fields) => told.push(fields) } });
    expect(here.sockets()).toEqual([]);
    expect(told).toMatchObject([{ error: expect.stringContaining("0700") as string }]);
    fs.writeFileSync(path.join(own, "sidecar-1-abcdef-abcdef.sock"), "");
    expect(await machineStatus(here)).toEqual({ processes: [], silent: [] });
  });
});

/** A process of its own that listens where a sidecar would, and never answers. */
async function silentProcess(then = ""): Promise<ChildProcess> {
  const place = (await newPlace(here.env)).replace(`-${process.pid}-`, "-PID-");
  const child = spawn(process.execPath, [
    "-e",
    `const place = ${JSON.stringify(place)}.replace("PID", process.pid);
     require("node:net").createServer().listen(place, () => { process.stdout.write("listens"); ${then} });`,
  ]);
  await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
  return child;
}

describe.skipIf(process.platform === "win32")("the processes of a machine", () => {
  it("that was killed leaves a socket, which is swept by whoever asks, and by the next process", async () => {
    for (const sweep of [() => machineStatus(here), () => started()]) {
      const killed = await leftSocket();
      expect(here.sockets()).toContain(killed);
      await sweep();
      expect(here.sockets()).not.toContain(killed);
    }
  });

  it("that does not answer is named, and holds up nobody for long", async () => {
    const child = await silentProcess();
    await started();
    const soon = { ...here, waitMs: 300 };
    const { processes, silent } = await machineStatus(soon);
    expect(silent).toEqual([child.pid]);
    expect(processes).toHaveLength(1);
    const families = familiesIn(await machineFigures(soon));
    expect(valueIn(families, "acp_sidecar_processes_silent")).toBe(1);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await machineStatus(here)).toMatchObject({ silent: [] });
    expect(here.sockets()).toHaveLength(1);
  });

  it("that answers with what is none is as one that does not answer", async () => {
    const place = await newPlace(here.env);
    const server = createServer((stream) =>
      stream.resume().end('{"jsonrpc":"2.0","id":0,"result":{"pid":"x"}}\n[1]\n\0\0\n'),
    );
    await new Promise<void>((resolve) => server.listen(place, resolve));
    expect(await machineStatus(here)).toEqual({ processes: [], silent: [process.pid] });
    await new Promise((resolve) => server.close(resolve));
  });

  it("are summed, and what those have counted that ended stays", async () => {
    const [one, other] = [await started(), await started()];
    one.meter.add("turns", "end_turn", 2);
    other.meter.add("turns", "end_turn", 3);
    const turns = async () => {
      const families = familiesIn(await machineFigures(here));
      return [
        valueIn(families, "acp_sidecar_turns_total", { outcome: "end_turn" }),
        valueIn(families, "acp_sidecar_processes"),
        valueIn(families, "acp_sidecar_sessions_live"),
      ];
    };
    expect(await turns()).toEqual([5, 2, 2]);
    one.meter.add("turns", "end_turn", 10);
    await one.close();
    expect(await turns()).toEqual([15, 1, 1]);
    expect(placesOf(process.pid, here.env)).toHaveLength(1);
    await other.close();
    expect(await turns()).toEqual([15, undefined, undefined]);
  });

  it("are asked without a socket where one of them asks: it counts once, as it would by its socket", async () => {
    const [one, other] = [await started(), await started()];
    one.meter.add("turns", "end_turn", 2);
    other.meter.add("turns", "end_turn", 3);
    const byItself = { ...here, own: without(one) };
    const bySocket = await machineSnapshot(here);
    for (const snapshot of [await machineSnapshot(byItself), await machineSnapshot(byItself)]) {
      expect(snapshot.counters["turns"]).toEqual({ end_turn: 5 });
      expect(snapshot.counters["turns"]).toEqual(bySocket.counters["turns"]);
      expect(snapshot.gauges).toMatchObject({ processes: 2, silent: 0, liveSessions: 2 });
      expect(Object.keys(snapshot.gauges).sort()).toEqual(Object.keys(bySocket.gauges).sort());
    }
    const status = await machineStatus(byItself);
    expect(status).toMatchObject({ processes: [{ pid: process.pid }, { pid: process.pid }], silent: [] });
    expect(byItself.own.asked).toEqual(["figures", "figures", "status"]);

    one.meter.add("turns", "end_turn", 10);
    await one.close();
    const after = await machineSnapshot(byItself);
    expect(after.counters["turns"]).toEqual({ end_turn: 15 });
    expect(after.gauges).toMatchObject({ processes: 1, silent: 0 });
    expect(byItself.own.asked).toHaveLength(3);
  });

  it("are held up by their own answer for no longer than by another's; what was told before counts", async () => {
    const [one, other] = [await started(), await started()];
    one.meter.add("turns", "end_turn", 2);
    other.meter.add("turns", "end_turn", 3);
    await machineSnapshot(here);
    const never = () => new Promise<never>(() => undefined);
    const fails = () => Promise.reject(new Error("broken"));
    for (const figures of [never, fails]) {
      const own = { path: one.own?.path ?? "", answers: { status: () => fail(), figures } };
      const { counters, gauges } = await machineSnapshot({ ...here, waitMs: 50, own });
      expect(counters["turns"]).toEqual({ end_turn: 5 });
      expect(gauges).toMatchObject({ processes: 1, silent: 1 });
      expect(await machineStatus({ ...here, own })).toMatchObject({ silent: [process.pid] });
    }
  });

  it("that cannot write answer all the same, and say so once", async () => {
    fs.writeFileSync(here.env["XDG_STATE_HOME"] ?? "", "no folder");
    const told: string[] = [];
    const asked = await started({ log: { ...silentLogger, warn: (_, message) => told.push(message) } });
    asked.meter.add("turns", "end_turn");
    for (const _ of [1, 2]) {
      const families = familiesIn(await machineFigures(here));
      expect(valueIn(families, "acp_sidecar_turns_total", { outcome: "end_turn" })).toBe(1);
    }
    expect(told).toEqual(["what was counted is not kept"]);
  });

  it("say nothing of sessions, folders or words in their figures", async () => {
    const asked = await started({
      agent: "/MARKER/agent",
      store: "sqlite:/MARKER/s.db",
      sessions: [{ id: "MARKER", clients: 1, waiting: 2 }],
      storeDetails: async () => ({ "MARKER.hits": 4, path: "MARKER" }),
    });
    asked.meter.add("requests", "MARKER ok");
    const text = await machineFigures({ ...here, found: { storedSessions: 7 } });
    expect(text).not.toContain("MARKER");
    expect(valueIn(familiesIn(text), "acp_sidecar_cache_hits_total")).toBe(4);
    expect(valueIn(familiesIn(text), "acp_sidecar_sessions_stored")).toBe(7);
    expect((await machineSnapshot(here)).gauges.queueLength).toBe(2);
  });
});

/** What a process says to itself; of its socket only the place is known. */
function without({ own }: Asked): OwnEndpoint & { readonly asked: string[] } {
  if (own === undefined) throw new Error("it cannot be asked");
  const asked: string[] = [];
  const noted = <T>(what: string, answer: T): T => {
    asked.push(what);
    return answer;
  };
  const { path: place, answers } = own;
  return {
    ...{ path: place, asked },
    answers: {
      status: () => noted("status", answers.status()),
      figures: () => noted("figures", answers.figures()),
    },
  };
}

function fail(): never {
  throw new Error("broken");
}

/** Of a process that is gone: nobody listens there. */
async function leftSocket(): Promise<string> {
  const before = here.sockets();
  const child = await silentProcess('process.kill(process.pid, "SIGKILL")');
  if (child.signalCode === null) await once(child, "exit");
  return here.sockets().find((each) => !before.includes(each)) ?? "";
}
