/** Sessions of a store to which anything is done, and which are copied, moved, encrypted and restored meanwhile. */
import fs from "node:fs";
import path from "node:path";
import { expect } from "vitest";
import { noAudit, type Audit } from "../../src/audit/audit.ts";
import type { SessionId } from "../../src/base/ids.ts";
import { newKey, rotateKeys } from "../../src/care/keys.ts";
import { backUpStore } from "../../src/care/maintenance.ts";
import { migrateSessions } from "../../src/care/migrate.ts";
import { verifySessions } from "../../src/care/verify.ts";
import { exportSession } from "../../src/history/export/export.ts";
import { bundles } from "../../src/history/import/bundle/reader.ts";
import { importHistory, type Told } from "../../src/history/import/run.ts";
import { foldedPages } from "../../src/session/conversation.ts";
import { thisHolder } from "../../src/session/holder.ts";
import { collect } from "../../src/session/pages.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import type { NewEntry, Store } from "../../src/store/contract.ts";
import { openStoreWith, type Encryption } from "../../src/store/open-encrypted.ts";
import { end, newEntry, tool, type Item } from "../session/entries.ts";

/** What is said in it, and may be on no disk of an encrypted store. */
export const plainWords = "some plain words";
const child = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
/** A call that is large when it is said. */
export const hugeCall = "huge";

/** What is done to a session. */
export interface Step {
  readonly do: string;
  /** What is said, by several appends. */
  readonly parts?: readonly (readonly Item[])[];
  readonly isOfChild?: boolean;
  readonly isRunning?: boolean;
  /** What becomes of whoever has said it. */
  readonly how?: string;
}

let made = 0;
const dead = { ...thisHolder(), pid: 4_194_300, startedAt: "gone" };

export class World {
  readonly kind: string;
  readonly scratch: string;
  readonly heads = new Map<string, Map<number, string>>();
  readonly audit: Audit = {
    ...noAudit,
    noteHead: ({ sessionId, seq, sha256 }) => {
      const of = this.heads.get(sessionId) ?? new Map<number, string>();
      this.heads.set(sessionId, of.set(seq, sha256));
    },
  };
  url = "";
  encryption: Encryption = {};
  store!: Store;
  registry!: SessionRegistry;
  id!: SessionId;
  ids: SessionId[] = [];
  #atMs = 1000;
  #draw = 0;

  constructor(kind: string, scratch: string) {
    [this.kind, this.scratch] = [kind, scratch];
  }

  fresh(kind = this.kind): string {
    return kind === "memory" ? "memory:" : `${kind}:${path.join(this.scratch, `${(made += 1)}-store`)}`;
  }

  async open(url: string, encryption: Encryption = this.encryption): Promise<void> {
    [this.url, this.encryption] = [url, encryption];
    this.store = await openStoreWith(url, encryption);
    this.registry = new SessionRegistry({ store: this.store, audit: this.audit, trashMs: 1e9 });
  }

  async close(): Promise<void> {
    await this.registry.close();
    await this.store.close();
  }

  key(): string {
    const file = path.join(this.scratch, `key-${(made += 1)}`);
    fs.writeFileSync(file, newKey(), { mode: 0o600 });
    return `file:${file}`;
  }

  #timed(items: readonly Item[], isOfChild = false): NewEntry[] {
    return items.map((item) => {
      const isHuge = "toolCallId" in item && item["toolCallId"] === hugeCall;
      const entry = newEntry(isHuge ? { ...item, rawOutput: "y".repeat(3 << 20) } : item, (this.#atMs += 7));
      return isOfChild && entry.kind === "update"
        ? { ...entry, data: `{"acp-sidecar.child":"${child}",${entry.data.slice(1)}` }
        : entry;
    });
  }

  async say({ parts = [], isOfChild, isRunning = false, how }: Step): Promise<void> {
    const { journal } = await this.registry.open(
      this.id,
      how === "kill" ? { holder: dead, mayTake: () => true } : {},
    );
    for (const part of parts) {
      journal.setTurnRunning(isRunning);
      await journal.append(this.#timed(part, isOfChild));
    }
    journal.setTurnRunning(false);
    if (how === "end") await journal.sealTurn(this.#timed([end]));
    if (how === "seal") await journal.seal([]);
    if (how === "late") {
      await journal.sealTurn(this.#timed([end]));
      await journal.append(this.#timed([tool({ status: "failed" }, "tool_call_update", "long")]));
    }
    if (how === "kill") journal.endUse();
    else await journal.release();
  }

  async does(step: Step): Promise<void> {
    const { registry, id } = this;
    const { headSeq } = await registry.get(id);
    this.#draw += 1;
    switch (step.do) {
      case "say":
        return this.say(step);
      case "message":
        return registry.addMessage(id, { role: "user", content: `${plainWords} said ${(this.#atMs += 1)}` });
      case "rename":
        return void (await registry.rename(id, `${plainWords} title ${(this.#atMs += 1)}`));
      case "archive":
        return void (await registry.archive(id));
      case "unarchive":
        return void (await registry.unarchive(id));
      case "compact":
        return void (await registry.compact(id, this.#draw % 2 === 0 ? {} : { beforeSeq: headSeq }));
      case "undo":
        return void (await registry.compaction.undo(id));
      case "erase":
        return void (await registry.compaction.erase(id));
      case "summary":
        return void (await registry.addSummary(id, {
          throughSeq: headSeq,
          content: "in short",
          by: plainWords,
        }));
      case "context":
        return registry.addContext(id, async () => JSON.stringify({ files: { [plainWords]: this.#draw } }));
      case "fork":
        this.ids.push(id);
        return void (this.id = (await registry.fork(id, Math.max(0, headSeq - (this.#draw % 3)))).id);
      case "other":
        if (this.ids.length > 0) [this.id, this.ids[0]] = [this.ids[0]!, id];
        return undefined;
      case "rewind":
        return void (await registry.rewind(id, Math.floor(headSeq / 2)));
      case "edit":
        return void (await registry.edit(id, Math.max(1, headSeq - (this.#draw % 4)), {
          role: "user",
          content: plainWords,
        }));
      case "trash":
        await registry.remove(id);
        return void (await registry.trash.restore(id));
    }
    await this.moves(step.do);
  }

  async moves(how: string): Promise<void> {
    if (how === "bundle") return this.bundle();
    if (how === "migrate" || how === "encrypt") {
      const from = this.store;
      const before = this.registry;
      const kind = this.kind === "memory" ? "memory" : ["file", "sqlite"][this.#draw % 2];
      const encryption =
        how === "encrypt" && this.kind !== "memory"
          ? { encryptionKey: this.key() }
          : how === "encrypt"
            ? {}
            : this.encryption;
      await this.open(this.fresh(kind), encryption);
      await migrateSessions(from, this.store);
      await before.close();
      return from.close();
    }
    if (this.kind === "memory") return;
    await this.close();
    try {
      const { encryptionKey } = this.encryption;
      if (how === "rotate" && encryptionKey !== undefined) {
        this.encryption = { encryptionKey: this.key(), previousKeys: [encryptionKey] };
        await rotateKeys(this.url, this.encryption);
        this.encryption = { encryptionKey: this.encryption.encryptionKey! };
      }
      if (how === "backup") {
        const to = this.fresh(this.url.split(":")[0]);
        await backUpStore(this.url, to);
        this.url = to;
      }
    } finally {
      await this.open(this.url);
    }
  }

  async bundle(): Promise<void> {
    const place = path.join(this.scratch, `${(made += 1)}.acpbundle`);
    let text = "";
    for await (const piece of await exportSession(this.registry, this.id, { format: "bundle" }))
      text += piece;
    fs.writeFileSync(place, text);
    // What is not sealed yet is in a bundle as a seal would make it.
    const before = await collect(foldedPages(this.registry, await this.registry.get(this.id)));
    await this.close();
    await this.open(this.fresh());
    const told: Told[] = [];
    await importHistory({
      registry: this.registry,
      reader: bundles,
      places: [place],
      onSession: (each) => void told.push(each),
      onProblem: (problem) => {
        throw new Error(JSON.stringify(problem));
      },
    });
    expect(told).toMatchObject([{ what: "imported", id: this.id }]);
    expect(await collect(this.registry.read(this.id))).toEqual(before);
    this.ids = [];
  }

  async check(): Promise<void> {
    const { damages, integrity, completeness } = await verifySessions(this.store, {}, {}, this.heads);
    expect(damages).toEqual([]);
    expect(integrity.changed).toEqual([]);
    expect(completeness?.missing).toEqual([]);
  }

  /** No word that was said stands anywhere on the disk. */
  plainFiles(): string[] {
    if (this.encryption.encryptionKey === undefined || this.url === "memory:") return [];
    const base = this.url.slice(this.url.indexOf(":") + 1);
    const folder = path.dirname(base);
    const names = fs.readdirSync(folder, { recursive: true, encoding: "utf8" });
    return names
      .map((name) => path.join(folder, name))
      .filter((file) => file.startsWith(base) && fs.statSync(file).isFile())
      .filter((file) => fs.readFileSync(file).includes(plainWords));
  }
}
