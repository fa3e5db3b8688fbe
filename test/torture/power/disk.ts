/**
 * A disk as a trace goes over it: what is safe on it, and what is not yet. What was synced is there after a
 * power cut; what was not may be there, in part or in whole, or missing, each act by itself.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Act, DataAct, NameAct, NodeId, Trace } from "./trace.ts";

/** An act that is not safe yet. */
export interface Unsafe {
  /** Its place in the trace. */
  readonly index: number;
  readonly act: NameAct | DataAct;
}

/** How much of an act is on the disk after the cut; of a write it may be a stretch of its bytes. */
export type Survival = "whole" | "lost" | { readonly from: number; readonly to: number };

/** Decides about the unsafe acts, which are given in their order. */
export type Fate = (acts: readonly Unsafe[]) => readonly Survival[];

type Names = Map<NodeId, Map<string, NodeId>>;

export class Disk {
  readonly root: string;
  readonly #acts: readonly Act[];
  readonly #rootNode: NodeId;
  readonly #names: Names = new Map();
  readonly #bytes = new Map<NodeId, Bytes>();
  #unsafe: Unsafe[] = [];
  #at = 0;

  /** @param root holds what was there before the trace began, all of it safe */
  constructor(root: string, { acts, nodes }: Trace, before: ReadonlyMap<string, Buffer | undefined>) {
    this.root = root;
    this.#acts = acts;
    this.#rootNode = nodes.get(root) ?? 0;
    for (const [path, node] of nodes) {
      const content = before.get(path);
      if (content === undefined) this.#names.set(node, new Map());
      else this.#bytes.set(node, new Bytes(content));
    }
    for (const [path, node] of nodes) {
      const at = path.lastIndexOf("/");
      const directory = nodes.get(path.slice(0, at));
      if (directory !== undefined) this.#names.get(directory)?.set(path.slice(at + 1), node);
    }
  }

  /** Goes on to just before act `to`. */
  advance(to: number): void {
    for (; this.#at < to; this.#at += 1) {
      const act = this.#acts[this.#at];
      if (act !== undefined) this.#take(act);
    }
  }

  get unsafeCount(): number {
    return this.#unsafe.length;
  }

  /** Writes what a power cut now leaves into the new directory `into`. */
  writeTo(into: string, fate: Fate): void {
    const survivals = fate(this.#unsafe);
    const names: Names = new Map([...this.#names].map(([node, inside]) => [node, new Map(inside)]));
    const bytes = new Map<NodeId, Bytes>();
    for (const [at, { act }] of this.#unsafe.entries()) {
      const survival = survivals[at] ?? "lost";
      if (survival === "lost") continue;
      if (isNameAct(act)) applyName(names, act);
      else applyData(this.#copyOf(act.node, bytes), act, survival);
    }
    const contentOf = (node: NodeId) => (bytes.get(node) ?? this.#bytes.get(node))?.content;
    writeTree(into, this.#rootNode, names, contentOf);
  }

  #take(act: Act): void {
    const index = this.#at;
    switch (act.act) {
      case "said":
        return;
      case "synced":
        return this.#synced(act.node, act.begun);
      case "sync failed":
        // Linux tells of it once, to the files open then, and takes what it could not write for clean ("Handling
        // errors during writeback" in its vfs.rst): only writing it again can save it, whoever syncs it next.
        this.#unsafe = this.#unsafe.filter((each) => isNameAct(each.act) || each.act.node !== act.node);
        return;
      default:
        if (act.act === "make" && act.isDirectory) this.#names.set(act.node, new Map());
        this.#unsafe.push({ index, act });
    }
  }

  #synced(node: NodeId, begun: number): void {
    const rest: Unsafe[] = [];
    for (const each of this.#unsafe) {
      const { index, act } = each;
      if (index >= begun || !concerns(act, node)) rest.push(each);
      else if (isNameAct(act)) applyName(this.#names, act);
      else applyData(this.#own(act.node), act, "whole");
    }
    this.#unsafe = rest;
  }

  #own(node: NodeId): Bytes {
    const found = this.#bytes.get(node) ?? new Bytes(Buffer.alloc(0));
    this.#bytes.set(node, found);
    return found;
  }

  #copyOf(node: NodeId, copies: Map<NodeId, Bytes>): Bytes {
    const copy = copies.get(node) ?? new Bytes(this.#bytes.get(node)?.content ?? Buffer.alloc(0));
    copies.set(node, copy);
    return copy;
  }
}

/** Everything below `root`, and itself: files with their bytes, directories without. */
export function contentBelow(root: string): Map<string, Buffer | undefined> {
  const found = new Map<string, Buffer | undefined>([[root, undefined]]);
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    found.set(path, entry.isDirectory() ? undefined : readFileSync(path));
  }
  return found;
}

function isNameAct(act: NameAct | DataAct): act is NameAct {
  return act.act === "make" || act.act === "rename" || act.act === "remove";
}

/** Whether a sync of `node` makes the act safe: of a file its bytes, of a directory the names in it. */
function concerns(act: NameAct | DataAct, node: NodeId): boolean {
  if (!isNameAct(act)) return act.node === node;
  return act.at.directory === node || (act.act === "rename" && act.to.directory === node);
}

/** By node and not by name: acts before it may be missing. */
function applyName(names: Names, act: NameAct): void {
  const inside = names.get(act.at.directory);
  if (act.act === "make") inside?.set(act.at.name, act.node);
  else if (inside?.get(act.at.name) === act.node) inside.delete(act.at.name);
  if (act.act === "rename") names.get(act.to.directory)?.set(act.to.name, act.node);
}

function applyData(bytes: Bytes, act: DataAct, survival: Exclude<Survival, "lost">): void {
  if (act.act === "cut") return bytes.cut(act.length);
  const { from, to } = survival === "whole" ? { from: 0, to: act.bytes.length } : survival;
  bytes.put(act.offset + from, act.bytes.subarray(from, to));
}

function writeTree(
  into: string,
  directory: NodeId,
  names: Names,
  contentOf: (node: NodeId) => Buffer | undefined,
): void {
  mkdirSync(into, { recursive: true });
  for (const [name, node] of names.get(directory) ?? []) {
    const path = join(into, name);
    if (names.has(node)) writeTree(path, node, names, contentOf);
    else writeFileSync(path, contentOf(node) ?? Buffer.alloc(0));
  }
}

/** A file's bytes, which grow. */
class Bytes {
  #room: Buffer;
  #length: number;

  constructor(content: Buffer) {
    this.#room = Buffer.from(content);
    this.#length = content.length;
  }

  get content(): Buffer {
    return this.#room.subarray(0, this.#length);
  }

  put(offset: number, bytes: Buffer): void {
    this.#reserve(offset + bytes.length);
    bytes.copy(this.#room, offset);
    this.#length = Math.max(this.#length, offset + bytes.length);
  }

  cut(length: number): void {
    this.#reserve(length);
    this.#room.fill(0, Math.min(length, this.#length), this.#length);
    this.#length = length;
  }

  #reserve(length: number): void {
    if (length <= this.#room.length) return;
    const room = Buffer.alloc(Math.max(length, 2 * this.#room.length));
    this.#room.copy(room, 0, 0, this.#length);
    this.#room = room;
  }
}
