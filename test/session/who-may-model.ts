/** A model of who may do what with which session, as the documents say it, beside a store where it is done. */
import fc from "fast-check";
import { vi } from "vitest";
import type { SessionId } from "../../src/base/ids.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import type { Store } from "../../src/store/contract.ts";
import type { Access } from "../../src/store/guarded/access.ts";
import { permissions, scopes, type Permission, type Scope } from "../../src/store/guarded/permissions.ts";
import { guardedStore } from "../../src/store/guarded/store.ts";
import { tokenGrant } from "../../src/store/guarded/tokens.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { chunk, end, newEntry, prompt, tool } from "./entries.ts";

const people = ["ann", "bob", "eve", "root", undefined] as const;
type Person = (typeof people)[number];

interface Known {
  readonly id: SessionId;
  cwd: string;
  owner: Person;
  readonly shares: Map<string, { readonly may: readonly Permission[]; readonly untilMs: number }>;
  state: "open" | "trashed" | "gone";
}

interface KnownToken {
  readonly id: string;
  readonly secret: string;
  readonly by: Person;
  readonly scope: Scope;
  readonly isAdmin: boolean;
  readonly sessions: readonly string[] | undefined;
  readonly folder: string | undefined;
  readonly untilMs: number;
  /** Which session it is a link to, and whose that was. */
  readonly of?: Known;
  isRevoked: boolean;
}

interface Actor {
  readonly name: string;
  readonly person: Person;
  readonly token?: KnownToken;
}

export class Model {
  readonly store: Store = openMemoryStore();
  readonly sessions: Known[] = [];
  readonly tokens: KnownToken[] = [];

  accessOf(person: Person): Access {
    return { isAdmin: person === "root", ...(person !== undefined && { principal: person }) };
  }

  async registryOf({ person, token }: Pick<Actor, "person" | "token">): Promise<SessionRegistry> {
    const access = token === undefined ? this.accessOf(person) : await tokenGrant(this.store, token.secret);
    return new SessionRegistry({ store: guardedStore(this.store, access), trashMs: 1e12 });
  }

  get actors(): Actor[] {
    return [
      ...people.map((person) => ({ name: String(person), person })),
      ...this.tokens.map((token, n) => ({
        name: `token ${n} of ${String(token.by)}`,
        person: token.by,
        token,
      })),
    ];
  }

  /** What the documents say. */
  may({ person, token }: Actor, session: Known): readonly Permission[] {
    if (session.state === "gone") return [];
    if (token !== undefined && !isValid(token)) return [];
    const isAdmin = token === undefined ? person === "root" : token.isAdmin;
    const share = person === undefined ? undefined : session.shares.get(person);
    const isShared = share !== undefined && session.state === "open" && share.untilMs > Date.now();
    const isAll = isAdmin || session.owner === undefined || session.owner === person;
    const base = isAll ? permissions : isShared ? share.may : [];
    if (token === undefined) return base;
    if (token.sessions?.includes(session.id) === false) return [];
    if (
      token.folder !== undefined &&
      session.cwd !== token.folder &&
      !session.cwd.startsWith(`${token.folder}/`)
    )
      return [];
    return scopes[token.scope].filter((each) => base.includes(each));
  }

  isOwners(actor: Actor, session: Known): boolean {
    const { person, token } = actor;
    if (this.may(actor, session).length === 0) return false;
    const isAdmin = token === undefined ? person === "root" : token.isAdmin;
    return (
      (isAdmin || session.owner === undefined || session.owner === person) &&
      token?.scope !== "read" &&
      token?.scope !== "write"
    );
  }
}

export const isValid = ({ isRevoked, untilMs }: KnownToken) => !isRevoked && untilMs > Date.now();

export const act = fc.record({
  do: fc.constantFrom(
    "make",
    "make",
    "share",
    "share",
    "unshare",
    "own",
    "trash",
    "restore",
    "delete",
    "archive",
    "move",
    "fork",
    "compact",
    "token",
    "token",
    "link",
    "revoke",
    "endLinks",
    "wait",
  ),
  who: fc.nat(),
  which: fc.nat(),
  whom: fc.constantFrom("ann", "bob", "eve"),
  n: fc.nat(7),
});
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;
const folders = ["/code", "/code/a", "/code/ab", "/code/a/deep"] as const;

export async function does(model: Model, { do: what, who, which, whom, n }: Act): Promise<void> {
  const actor = model.actors[who % model.actors.length]!;
  const { person, token } = actor;
  if (token !== undefined && !isValid(token)) return;
  const registry = await model.registryOf(actor);
  const cwd = folders[n % 4]!;
  const untilMs = n < 4 ? Date.now() + 1000 * (n + 1) : undefined;
  if (what === "wait") return void vi.setSystemTime(Date.now() + 500 * (n + 1));
  if (what === "make") {
    const { id } = await registry.create({ cwd, title: "secret" });
    const { journal } = await registry.open(id);
    const items = [
      prompt("secret"),
      tool({ title: "secret", rawOutput: "secret ".repeat(99) }, "tool_call"),
      chunk("secret"),
      end,
    ];
    await journal.seal(items.map((item) => newEntry(item, 1000)));
    await journal.release();
    model.sessions.push({ id, cwd, owner: person, shares: new Map(), state: "open" });
    return;
  }
  if (what === "token") {
    const scope = (["read", "write", "admin"] as const)[n % 3]!;
    const sessions =
      n < 3 && model.sessions.length > 0 ? [model.sessions[which % model.sessions.length]!.id] : undefined;
    const folder = n > 4 ? "/code/a" : undefined;
    const made = await registry.sharing.tokens.create({
      ...{ name: `t${model.tokens.length}`, scope },
      ...(sessions && { sessions }),
      ...(folder !== undefined && { folder }),
      ...(untilMs !== undefined && { untilMs }),
    });
    model.tokens.push({
      ...{ id: made.token.id, secret: made.secret, by: person, scope, sessions, folder, isRevoked: false },
      ...{ isAdmin: person === "root" && scope === "admin", untilMs: untilMs ?? Infinity },
    });
    return;
  }
  if (what === "revoke") {
    const found = model.tokens[which % Math.max(1, model.tokens.length)];
    if (found === undefined) return;
    await registry.sharing.tokens.revoke(found.id);
    found.isRevoked = true;
    return;
  }
  const session = model.sessions[which % Math.max(1, model.sessions.length)];
  if (session === undefined) return;
  const { id } = session;
  if (what === "share") {
    const may = permissions.filter((each, at) => each === "read" || (n >> (at % 3)) % 2 === 1);
    await registry.sharing.share(id, {
      with: whom,
      permissions: may,
      ...(untilMs !== undefined && { untilMs }),
    });
    session.shares.set(whom, { may, untilMs: untilMs ?? Infinity });
  } else if (what === "unshare") {
    await registry.sharing.unshare(id, whom);
    session.shares.delete(whom);
  } else if (what === "own") {
    await registry.sharing.own(id);
    session.owner = person;
    session.shares.delete(String(person));
  } else if (what === "trash") {
    if (await registry.remove(id)) session.state = "trashed";
  } else if (what === "restore") {
    if ((await registry.trash.restore(id)) !== undefined) session.state = "open";
  } else if (what === "delete") {
    if (await registry.delete(id)) session.state = "gone";
  } else if (what === "archive") await registry.archive(id);
  else if (what === "move") {
    await registry.move(id, cwd);
    session.cwd = cwd;
  } else if (what === "fork") {
    const fork = await registry.fork(id);
    model.sessions.push({ id: fork.id, cwd: session.cwd, owner: person, shares: new Map(), state: "open" });
  } else if (what === "compact") await registry.compact(id, { beforeSeq: 4 });
  else if (what === "link") {
    const made = await registry.sharing.links.make(id, untilMs === undefined ? {} : { untilMs });
    const secret = /token=([^&]*)/.exec(made.fragment)?.[1] ?? "";
    model.tokens.push({
      ...{
        id: made.token.id,
        secret,
        by: session.owner,
        scope: "read",
        sessions: [id],
        folder: undefined,
        isRevoked: false,
      },
      ...{ isAdmin: false, untilMs: untilMs ?? Date.now() + 7 * 86_400_000, of: session },
    });
  } else if (what === "endLinks") {
    await registry.sharing.links.end(id);
    for (const each of model.tokens)
      if (each.of === session && each.by === session.owner) each.isRevoked = true;
  }
}
