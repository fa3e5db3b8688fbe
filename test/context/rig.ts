/** A session over a real folder, whose agent reads and writes as agents do, and whose files others change. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { SessionContext } from "../../src/context/session-context.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import type { NewEntry, Store } from "../../src/store/contract.ts";
import type { SessionId } from "../../src/base/ids.ts";

export interface Rig {
  readonly folder: string;
  readonly registry: SessionRegistry;
  readonly store: Store;
  readonly context: SessionContext;
  readonly id: SessionId;
  at(name: string): string;
  write(name: string, content: string): void;
  /** A turn of the agent's, sealed as the relay does. */
  turn(...said: readonly NewEntry[][]): Promise<void>;
  /** The same, and the snapshot after it. */
  work(...said: readonly NewEntry[][]): Promise<void>;
  /** Path below the folder, and what became of it. */
  changes(): Promise<Record<string, string>>;
  close(): Promise<void>;
}

export async function aRig(
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-known-")),
): Promise<Rig> {
  const cwd = fs.realpathSync(folder);
  const store = openMemoryStore();
  const registry = new SessionRegistry({ store });
  const context = new SessionContext(registry);
  const { id } = await registry.create({ cwd });
  const at = (name: string) => path.join(cwd, name);
  const turn = async (...said: readonly NewEntry[][]) => {
    const { journal } = await registry.open(id);
    await journal.append([entryNow("prompt", { prompt: [{ type: "text", text: "go" }] }), ...said.flat()]);
    await journal.seal([entryNow("end", { result: { stopReason: "end_turn" } })]);
    await journal.release();
  };
  return {
    folder: cwd,
    registry,
    store,
    context,
    id,
    at,
    write: (name, content) => {
      fs.mkdirSync(path.dirname(at(name)), { recursive: true });
      fs.writeFileSync(at(name), content);
    },
    turn,
    work: async (...said) => {
      await turn(...said);
      await context.refresh(id);
    },
    changes: async () => {
      const { files } = await context.diff(id);
      return Object.fromEntries(
        files.map(({ path: file, what, to }) => [
          path.relative(cwd, file),
          to === undefined ? what : `${what} ${path.relative(cwd, to)}`,
        ]),
      );
    },
    close: async () => {
      await registry.close();
      await store.close();
      fs.rmSync(cwd, { recursive: true, force: true });
    },
  };
}

function entryNow(kind: NewEntry["kind"], data: object, atMs = Date.now()): NewEntry {
  return { kind, atMs, data: JSON.stringify(data) };
}

let asked = 0;

/** Through the client, which says what it shows. */
export function readThrough(file: string, content = fs.readFileSync(file, "utf8")): NewEntry[] {
  asked += 1;
  const method = "fs/read_text_file";
  return [
    entryNow("request", { id: asked, method, params: { path: file } }),
    entryNow("response", { id: asked, method, result: { content } }),
  ];
}

export function writeThrough(file: string, content: string): NewEntry[] {
  asked += 1;
  const entries = [
    entryNow("request", { id: asked, method: "fs/write_text_file", params: { path: file, content } }),
  ];
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, content);
  return entries;
}

/** With a tool of its own, a while after the file was written last. */
export function readItself(file: string, laterMs = 1_000): NewEntry[] {
  return [toolCall("read", file, Date.now() + laterMs)];
}

export function writeItself(file: string, content: string): NewEntry[] {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, content);
  return [toolCall("edit", file, Date.now())];
}

function toolCall(kind: string, file: string, atMs: number): NewEntry {
  asked += 1;
  const fields = {
    toolCallId: `c${asked}`,
    title: kind,
    kind,
    status: "completed",
    locations: [{ path: file }],
  };
  return entryNow("update", { update: { sessionUpdate: "tool_call", ...fields } }, atMs);
}
