/** The store of a URL, as somebody may use it. */
import { principalAllowed, principalFrom } from "../../base/principal-name.ts";
import { SidecarError } from "../../base/errors.ts";
import type { Metadata, Store } from "../contract.ts";
import { openStoreWith, type Encryption } from "../open-encrypted.ts";
import type { Access } from "./access.ts";
import { guardOf, type AccessSource } from "./guard.ts";
import { owned, ownedBy } from "./marks.ts";
import { guardedStore } from "./store.ts";

/** Who opens it. */
export interface Identification {
  /** Absent: a stranger to what belongs to somebody, and what they make is everybody's. */
  readonly identity?: string;
  /** Names that reach all. */
  readonly admins?: readonly string[];
  /** Where the token is by which somebody acts: `file:PATH`, `env:NAME` or `command:PROGRAM`. */
  readonly token?: string;
}

/** A token is looked at again after so long: it may have been revoked. */
const freshMs = 5000;

/** Errors: as `openStoreWith`; `INVALID_PARAMS` for a name that is none. A token that is not valid fails what it is used for. */
export async function openGuarded(url: string, options: Encryption & Identification = {}): Promise<Store> {
  const identification = checked(options);
  return guardedAs(await openStoreWith(url, options), identification);
}

/**
 * All of a store, to be copied with whose its sessions are. Errors: as `openStoreWith`; `FORBIDDEN` where some belong to others and
 * whoever asks is no admin.
 * @param as as there
 */
export async function openWhole(
  url: string,
  options: Encryption & Identification,
  as?: "it is",
): Promise<Store> {
  const store = await openStoreWith(url, options, as);
  try {
    const { principal, isAdmin, token } = (await guardOf(guardedAs(store, options))?.access) ?? {
      isAdmin: true,
    };
    const count = async (metadata: Metadata) => store.count({ metadata });
    const others = isAdmin
      ? 0
      : (await count(owned)) - (principal === undefined ? 0 : await count(ownedBy(principal)));
    if (others === 0 && token === undefined) return store;
  } catch (error) {
    await store.close();
    throw error;
  }
  await store.close();
  throw new SidecarError(
    "FORBIDDEN",
    "The store holds sessions of others, and a copy would take them along; act as one of --admins, without a token",
    { data: { needs: "own" } },
  );
}

/** The same for a store that is open. What was guarded for somebody stays so, where nobody else is named. */
export function guardedAs(store: Store, options: Identification, before = guardOf(store)): Store {
  const { identity, token } = checked(options);
  const isNamed = identity !== undefined || token !== undefined;
  const inner = guardOf(store)?.inner ?? store;
  return guardedStore(inner, isNamed || before === undefined ? accessOf(inner, options) : before.source);
}

function checked(options: Identification): Identification {
  for (const name of [options.identity, ...(options.admins ?? [])]) {
    if (name === undefined || principalFrom(name) !== undefined) continue;
    throw new SidecarError("INVALID_PARAMS", `identity must be ${principalAllowed}`, {
      data: { at: "identity" },
    });
  }
  return options;
}

function accessOf(inner: Store, { identity, admins = [], token }: Identification): AccessSource {
  if (token !== undefined) return byToken(inner, token);
  const principal = principalFrom(identity);
  if (principal === undefined) return { isAdmin: false };
  return { principal, isAdmin: admins.some((each) => principalFrom(each) === principal) };
}

/** Asked for when it is needed, and again when some time has gone by. */
function byToken(inner: Store, source: string): () => Access | Promise<Access> {
  let granted: Access | undefined;
  let atMs = -Infinity;
  let asking: Promise<Access> | undefined;
  const ask = async () => {
    const [{ tokenGrant }, { textFrom }] = await Promise.all([
      import("./tokens.ts"),
      import("../../base/secret-source.ts"),
    ]);
    granted = undefined;
    granted = await tokenGrant(inner, (await textFrom(source, "token")).trim());
    atMs = performance.now();
    return granted;
  };
  return () => {
    if (granted !== undefined && performance.now() - atMs < freshMs) return granted;
    asking ??= ask().finally(() => (asking = undefined));
    return asking;
  };
}
