/** A store of somebody's own: `module:PATH` names a file that opens it. */
import path from "node:path";
import { pathToFileURL } from "node:url";
import { isSidecarError, reasonOf, SidecarError } from "../base/errors.ts";
import { isRecord } from "../base/json.ts";
import type { StoreUrl } from "../base/store-url.ts";
import type { Store } from "./contract.ts";

/** What such a file exports, as `openStore` or by default. */
type OpenStore = (options: Readonly<Record<string, string>>) => Store | Promise<Store>;

/**
 * Opens the store of `module:./my-store.js?table=sessions`: what stands behind the `?` is handed over.
 * Errors: `CONFIG_INVALID` when the file cannot be loaded or opens no store; `STORE_UNAVAILABLE`, or the store's own.
 */
export async function openModuleStore({ place, options: given }: StoreUrl): Promise<Store> {
  if (place === "") throw new SidecarError("CONFIG_INVALID", "A store module's URL is module:PATH");
  const [file, options] = [path.resolve(place), Object.fromEntries(given)];
  const open = openIn(file, await loaded(file));
  const store = await opened(file, open, options);
  if (isStore(store)) return store;
  throw new SidecarError("CONFIG_INVALID", `The store module ${file} has opened no store: return a Store`);
}

async function loaded(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw new SidecarError(
      "CONFIG_INVALID",
      `The store module ${file} cannot be loaded: ${reasonOf(error)}`,
      { cause: error },
    );
  }
}

function openIn(file: string, exports: Readonly<Record<string, unknown>>): OpenStore {
  const open = exports["openStore"] ?? exports["default"];
  if (typeof open === "function") return open as OpenStore;
  throw new SidecarError(
    "CONFIG_INVALID",
    `The store module ${file} exports no function: export openStore, or a default one`,
  );
}

async function opened(file: string, open: OpenStore, options: Record<string, string>): Promise<unknown> {
  try {
    return await open(options);
  } catch (error) {
    if (isSidecarError(error)) throw error;
    const reason = `The store module ${file} could not open its store: ${reasonOf(error)}`;
    throw new SidecarError("STORE_UNAVAILABLE", reason, { cause: error });
  }
}

/** By some operations of the contract: what is missing else is told when it is called. */
function isStore(store: unknown): store is Store {
  const needed = ["create", "get", "append", "read", "acquire", "flush", "close"];
  return isRecord(store) && needed.every((name) => typeof store[name] === "function");
}
