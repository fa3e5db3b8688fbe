/** Reads what the shim wrote down (test/torture/shim/shim.c): the acts of one process on a disk, in order. */
import { basename, dirname } from "node:path";

/** A file or directory, whatever it is called; names are given to it and taken away. */
export type NodeId = number;

/** A name in a directory. */
export interface Place {
  readonly directory: NodeId;
  readonly name: string;
}

/** What changes names: it is safe when the directories that it concerns are synced. */
export type NameAct =
  | { readonly act: "make"; readonly node: NodeId; readonly isDirectory: boolean; readonly at: Place }
  | { readonly act: "rename"; readonly node: NodeId; readonly at: Place; readonly to: Place }
  | { readonly act: "remove"; readonly node: NodeId; readonly at: Place };

/** What changes a file's bytes. */
export type DataAct =
  | { readonly act: "write"; readonly node: NodeId; readonly offset: number; readonly bytes: Buffer }
  | { readonly act: "cut"; readonly node: NodeId; readonly length: number };

export type Act =
  | NameAct
  | DataAct
  /** What was done to it before `begun`, an index of acts, is safe from here on. */
  | { readonly act: "synced"; readonly node: NodeId; readonly begun: number }
  /** What is dirty was dropped: the system takes it for written from here on, and it is not. */
  | { readonly act: "sync failed"; readonly node: NodeId }
  /** So many bytes more were sent to the client. */
  | { readonly act: "said"; readonly bytes: number };

enum Kind {
  Opened = 1,
  Closed,
  Wrote,
  Cut,
  Sync,
  Synced,
  Renamed,
  Unlinked,
  Rmdir,
  Mkdir,
  Said,
  SyncFailed,
}
const created = 1;
const emptied = 2;
const headBytes = 24;

interface Note {
  readonly kind: Kind;
  readonly fd: number;
  readonly offset: number;
  readonly extra: number;
  readonly bytes: Buffer;
  /** Where it ends among the notes. */
  readonly end: number;
}

/** The nodes that were there when the process started, by path, and their acts. */
export interface Trace {
  readonly acts: readonly Act[];
  readonly nodes: ReadonlyMap<string, NodeId>;
}

/** What one process wrote down, and the bytes of the whole messages that were received from it. */
export interface Record {
  readonly notes: Buffer;
  readonly toldBytes: number;
}

/**
 * @param records of processes, one after the other
 * @param before what was on the disk when the trace began, the root included
 */
export function readTrace(records: readonly Record[], before: Iterable<string>): Trace {
  const reader = new Reader(before);
  const nodes = new Map(reader.names);
  for (const { notes, toldBytes } of records) {
    for (const note of notesIn(notes)) reader.take(note);
    reader.processEnded(toldBytes);
  }
  return { acts: reader.acts, nodes };
}

export function* notesIn(bytes: Buffer): Generator<Note> {
  for (let at = 0; at + headBytes <= bytes.length;) {
    const length = bytes.readUInt32LE(at + 16);
    const end = at + headBytes + length;
    // The process was killed while it wrote this down.
    if (end > bytes.length) return;
    yield {
      kind: bytes.readUInt32LE(at),
      fd: bytes.readInt32LE(at + 4),
      offset: Number(bytes.readBigInt64LE(at + 8)),
      extra: bytes.readUInt32LE(at + 20),
      bytes: bytes.subarray(at + headBytes, end),
      end,
    };
    at = end;
  }
}

class Reader {
  readonly acts: Act[] = [];
  readonly names = new Map<string, NodeId>();
  readonly #open = new Map<number, NodeId>();
  readonly #syncs = new Map<number, { readonly node: NodeId; readonly begun: number }>();
  #nodes = 0;
  #saidBytes = 0;

  constructor(before: Iterable<string>) {
    for (const path of before) this.names.set(path, (this.#nodes += 1));
  }

  /** A process may be killed in the middle of a message, or before it has written down what it sent. */
  processEnded(toldBytes: number): void {
    this.#add({ act: "said", bytes: toldBytes - this.#saidBytes });
    this.#saidBytes = 0;
    this.#open.clear();
    this.#syncs.clear();
  }

  take({ kind, fd, offset, extra, bytes }: Note): void {
    switch (kind) {
      case Kind.Opened:
        return this.#opened(fd, bytes.toString(), extra);
      case Kind.Closed:
        return void this.#open.delete(fd);
      case Kind.Wrote:
        return this.#add({ act: "write", node: this.#at(fd), offset, bytes });
      case Kind.Cut:
        return this.#add({ act: "cut", node: this.#at(fd), length: offset });
      case Kind.Sync:
        return void this.#syncs.set(extra, { node: this.#at(fd), begun: this.acts.length });
      case Kind.Synced:
        return this.#synced(extra);
      case Kind.SyncFailed:
        return this.#add({ act: "sync failed", node: this.#at(fd) });
      case Kind.Renamed:
        return this.#renamed(bytes.toString());
      case Kind.Unlinked:
      case Kind.Rmdir:
        return this.#removed(bytes.toString());
      case Kind.Mkdir:
        return void this.#make(bytes.toString(), true);
      case Kind.Said:
        this.#saidBytes += offset;
        return this.#add({ act: "said", bytes: offset });
    }
  }

  #add(act: Act): void {
    this.acts.push(act);
  }

  #opened(fd: number, path: string, extra: number): void {
    const node = extra & created ? this.#make(path, false) : this.#named(path);
    if (extra & emptied) this.#add({ act: "cut", node, length: 0 });
    this.#open.set(fd, node);
  }

  #make(path: string, isDirectory: boolean): NodeId {
    const node = (this.#nodes += 1);
    this.#add({ act: "make", node, isDirectory, at: this.#place(path) });
    this.names.set(path, node);
    return node;
  }

  #synced(id: number): void {
    const sync = this.#syncs.get(id);
    if (sync === undefined) throw new Error(`The trace ends a sync ${id} that it did not begin`);
    this.#add({ act: "synced", ...sync });
  }

  #renamed(both: string): void {
    const [path = "", to = ""] = both.split("\0");
    const node = this.#named(path);
    this.#add({ act: "rename", node, at: this.#place(path), to: this.#place(to) });
    // A directory takes along what is in it.
    for (const [name, each] of [...this.names]) {
      if (name !== path && !name.startsWith(`${path}/`)) continue;
      this.names.delete(name);
      this.names.set(to + name.slice(path.length), each);
    }
  }

  #removed(path: string): void {
    this.#add({ act: "remove", node: this.#named(path), at: this.#place(path) });
    this.names.delete(path);
  }

  #at(fd: number): NodeId {
    const node = this.#open.get(fd);
    if (node === undefined) throw new Error(`The trace uses file ${fd}, which it did not open`);
    return node;
  }

  #place(path: string): Place {
    return { directory: this.#named(dirname(path)), name: basename(path) };
  }

  #named(path: string): NodeId {
    const node = this.names.get(path);
    if (node === undefined) throw new Error(`The trace names ${path}, which is not there`);
    return node;
  }
}
