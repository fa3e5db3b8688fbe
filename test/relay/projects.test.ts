/** Files that others change while a session lives: the agent is told before its next prompt, once, and nobody else hears of it. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { SessionContext } from "../../src/context/session-context.ts";
import type { SessionId } from "../../src/base/ids.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { wrapStore } from "../../src/store/shell.ts";
import type { Entry, Store } from "../../src/store/contract.ts";
import { SidecarError } from "../../src/base/errors.ts";
import { entriesOf } from "../conformance/samples.ts";
import { gate, rig, until, type RigOptions, type ScriptedAgent } from "./rig.ts";

const folders: string[] = [];
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true, force: true });
});

type Blocks = readonly { readonly type: string; readonly text: string }[];

/** An agent that does what it is told: `read NAME`, `write NAME`. */
async function aProject(options: RigOptions = {}) {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-projects-")));
  folders.push(folder);
  const at = (name: string) => path.join(folder, name);
  const stops: string[] = [];
  const store = options.store ?? openMemoryStore();
  const relay = await rig({
    ...options,
    store,
    relay: { contextSnapshots: "on", contextNote: "prompt", ...options.relay },
    script: {
      "session/prompt": async ({ prompt, sessionId }, agent: ScriptedAgent) => {
        const said = (prompt as Blocks).at(-1)?.text ?? "";
        for (const [, does, name = ""] of said.matchAll(/(read|write) (\S+)/g))
          await agent.connection.request(
            `fs/${does}_text_file`,
            { sessionId, path: at(name), ...(does === "write" && { content: `by the agent: ${name}` }) },
            {},
          );
        return { stopReason: stops.shift() ?? "end_turn" };
      },
      ...options.script,
    },
    client: {
      "fs/read_text_file": ({ path: file }) => ({ content: fs.readFileSync(String(file), "utf8") }),
      "fs/write_text_file": ({ path: file, content }) => {
        fs.writeFileSync(String(file), String(content));
        return {};
      },
    },
  });
  closing.push(relay.close);
  const { sessionId } = (await relay.client.request("session/new", { cwd: folder, mcpServers: [] })) as {
    sessionId: SessionId;
  };
  const heard = () =>
    relay.agents.flatMap((agent) => agent.heardOf("session/prompt")).at(-1)?.["prompt"] as Blocks;
  const contexts = async () => (await entriesOf(store, sessionId)).filter(({ kind }) => kind === "context");
  return {
    relay,
    store,
    sessionId,
    at,
    stops,
    write: (name: string, content: string) => fs.writeFileSync(at(name), content),
    ask: async (text: string) => {
      await relay.prompt(sessionId, text);
      return heard().map((block) => block.text);
    },
    contexts,
    /** Settles when so many entries about files are there. */
    kept: async (count: number): Promise<readonly Entry[]> => {
      let found = await contexts();
      while (found.length < count) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        found = await contexts();
      }
      return found;
    },
  };
}

describe("snapshots [issue 13.2]", () => {
  it("are taken when a turn's answer is out, and none where no file was told of", async () => {
    const p = await aProject();
    p.write("a", "one");
    await p.ask("nothing");
    await p.ask("read a");
    const [entry] = await p.kept(1);
    expect(JSON.parse(entry?.data ?? "")).toMatchObject({ files: { [p.at("a")]: { how: "read" } } });
    expect((await entriesOf(p.store, p.sessionId)).map(({ kind }) => kind)).toEqual([
      ...["prompt", "end"],
      ...["prompt", "request", "response", "end"],
      "context",
    ]);
    // The client saw the turn, and nothing else.
    expect(p.relay.updates).toEqual([]);
  });

  it("disturb nothing: a store that refuses them costs the session nothing", async () => {
    let refuses = false;
    const memory = openMemoryStore();
    const store: Store = wrapStore(memory, {
      seal: (id, range, entries, lease) =>
        refuses && entries.every(({ kind }) => kind === "context")
          ? Promise.reject(new SidecarError("STORE_FULL", "The disk is full"))
          : memory.seal(id, range, entries, lease),
    });
    const p = await aProject({ store });
    p.write("a", "one");
    refuses = true;
    await p.ask("read a");
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(await p.contexts()).toEqual([]);
    p.write("a", "two");
    // What was told stands in the journal: it is known without a snapshot, too.
    expect((await p.ask("go on"))[0]).toContain("changed: a");
    refuses = false;
    await p.kept(1);
  });
});

describe("a snapshot that meets something else [issue 13]", () => {
  const kindsOf = async (store: Store, id: SessionId) => (await entriesOf(store, id)).map(({ kind }) => kind);

  it("stands behind a turn, never within the next one", async () => {
    const memory = openMemoryStore();
    const [looking, held] = [gate(), gate()];
    let isHeld = true;
    const store: Store = wrapStore(memory, {
      async *read(id, range) {
        if (isHeld) {
          looking.open();
          await held.passed;
        }
        yield* memory.read(id, range);
      },
    });
    let going: (() => void) | undefined;
    const p = await aProject({
      store,
      relay: { contextNote: "off" },
      script: {
        "session/prompt": async ({ prompt, sessionId }, agent: ScriptedAgent) => {
          if ((prompt as Blocks)[0]?.text === "long") await new Promise<void>((resolve) => (going = resolve));
          else await agent.connection.request("fs/read_text_file", { sessionId, path: p.at("a") }, {});
          return { stopReason: "end_turn" };
        },
      },
    });
    p.write("a", "one");
    await p.ask("read it");
    await looking.passed;
    const asked = p.ask("long");
    await until(() => going !== undefined);
    isHeld = false;
    held.open();
    await new Promise((resolve) => setTimeout(resolve, 50));
    going?.();
    await asked;
    await p.kept(1);
    expect(await kindsOf(memory, p.sessionId)).toEqual([
      ...["prompt", "request", "response", "end"],
      ...["prompt", "end", "context"],
    ]);
  });

  it("is not written where somebody else has the session, and disturbs nobody", async () => {
    const p = await aProject();
    p.write("a", "one");
    await p.ask("read a");
    const other = new SessionRegistry({ store: p.store, onBusy: "takeover" });
    const { journal } = await other.open(p.sessionId, { holder: { host: "there", pid: 1, startedAt: "1" } });
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(await p.contexts()).toEqual([]);
    await journal.seal([{ kind: "message", atMs: 1, data: '{"role":"user","content":[]}' }]);
    await journal.release();
    await other.close();
    expect(await kindsOf(p.store, p.sessionId)).toEqual(["prompt", "request", "response", "end", "message"]);
  });

  it("that was written though its store said no is there once", async () => {
    const memory = openMemoryStore();
    let lies = true;
    const store: Store = wrapStore(memory, {
      seal: async (id, range, entries, lease) => {
        const head = await memory.seal(id, range, entries, lease);
        if (!lies || entries[0]?.kind !== "context") return head;
        lies = false;
        throw new SidecarError("STORE_UNAVAILABLE", "The answer was lost");
      },
    });
    const p = await aProject({ store });
    p.write("a", "one");
    await p.ask("read a");
    await p.kept(1);
    p.write("a", "two");
    expect((await p.ask("go on"))[0]).toContain("- changed: a");
    expect(await p.ask("go on")).toEqual(["go on"]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await p.contexts()).map(({ data }) => "note" in (JSON.parse(data) as object))).toEqual([
      false,
      true,
    ]);
  });
});

describe("a note before a prompt [issue 13.4]", () => {
  it("tells the agent once what others have done, the client nothing, and is kept as ours", async () => {
    const p = await aProject();
    for (const name of ["a", "b", "c", "d"]) p.write(name, `one ${name}`);
    await p.ask("read a read b read c read d write own");
    await p.kept(1);
    p.write("a", "two");
    fs.rmSync(p.at("b"));
    fs.renameSync(p.at("c"), p.at("<c2>"));
    p.write("new", "nobody knew it");
    const [note = "", own, ...more] = await p.ask("go on");
    expect([own, more]).toEqual(["go on", []]);
    expect(note).toMatch(/^<changed-files>\n/);
    expect(note.split("\n").filter((line) => line.startsWith("- "))).toEqual([
      "- changed: a",
      "- deleted: b",
      "- renamed: c → \\u003cc2>",
    ]);
    expect(await p.ask("again")).toEqual(["again"]);
    const kept = (await p.contexts()).map(
      ({ data }) => JSON.parse(data) as { note?: object; _meta?: object },
    );
    expect(kept.find((each) => each.note)).toMatchObject({
      _meta: { "acp-sidecar": { origin: "sidecar" } },
      note: [{ what: "changed" }, { what: "deleted" }, { what: "renamed" }],
    });
    // The client's words stand there as they came, and a replay has them alone.
    await p.relay.client.request("session/load", {
      sessionId: p.sessionId,
      cwd: path.dirname(p.at("a")),
      mcpServers: [],
    });
    expect(JSON.stringify(p.relay.updates)).not.toContain("changed-files");
    expect(
      JSON.stringify((await entriesOf(p.store, p.sessionId)).filter(({ kind }) => kind === "prompt")),
    ).not.toContain("changed-files");
    // The agent has been told, and has not read it again.
    const { files } = await new SessionContext(p.relay.registry).diff(p.sessionId);
    expect(files.map(({ path: file, what }) => `${path.basename(file)} ${what}`).sort()).toEqual([
      "a changed",
      "b deleted",
      "c renamed",
      "d same",
      "own same",
    ]);
    p.write("a", "three");
    expect((await p.ask("and now"))[0]).toContain("- changed: a\n");
    p.write("a", "one a");
    expect((await p.ask("and now"))[0]).toContain("- as you had it again: a\n");
    expect(await p.ask("read a")).toEqual(["read a"]);
    expect(await p.ask("go on")).toEqual(["go on"]);
  });

  it("comes again where the agent refused the prompt, and never before a command", async () => {
    const p = await aProject();
    p.write("a", "one");
    await p.ask("read a");
    await p.kept(1);
    p.write("a", "two");
    expect(await p.ask("/init it")).toEqual(["/init it"]);
    p.stops.push("refusal");
    expect(await p.ask("something bad")).toHaveLength(2);
    expect(await p.ask("something good")).toHaveLength(2);
    expect(await p.ask("more")).toEqual(["more"]);
  });

  it("is not given where nobody asked for it, and tells of another session's work", async () => {
    const p = await aProject({ relay: { contextNote: "off" } });
    p.write("a", "one");
    await p.ask("read a");
    await p.kept(1);
    p.write("a", "two");
    expect(await p.ask("go on")).toEqual(["go on"]);
  });

  it("goes into the answer of a load where that is configured", async () => {
    const p = await aProject({ relay: { contextNote: "load" } });
    p.write("a", "one");
    await p.ask("read a");
    await p.kept(1);
    const load = () =>
      p.relay.client.request("session/load", {
        sessionId: p.sessionId,
        cwd: path.dirname(p.at("a")),
        mcpServers: [],
      }) as Promise<{ _meta?: Record<string, unknown> }>;
    expect((await load())._meta?.["acp-sidecar"]).toBeUndefined();
    p.write("a", "two");
    expect((await load())._meta?.["acp-sidecar"]).toEqual({
      changes: { files: [{ path: p.at("a"), what: "changed" }] },
    });
    expect(await p.ask("go on")).toEqual(["go on"]);
  });
});

describe("/sidecar changes [issue 13.4]", () => {
  it("shows a person what the agent does not know", async () => {
    const p = await aProject({ relay: { contextNote: "off", commands: "on" } });
    const say = async () => {
      await p.relay.prompt(p.sessionId, "/sidecar changes");
      return p.relay.shown();
    };
    expect(await say()).toContain("The agent was shown no file");
    p.write("a`b", "one");
    await p.ask("read a`b write own");
    expect(await say()).toContain("All 2 files that the agent knows are as it knows them.");
    p.write("a`b", "two");
    fs.rmSync(p.at("own"));
    expect(await say()).toMatch(/- changed `` a`b ``\n- deleted `own` \(the agent wrote it\)$/);
  });
});
