/** The URL that names a store, in its parts: whoever opens, places, shows or cares for a store reads it here. */
import { isSidecarError, SidecarError } from "./errors.ts";

/** How a store's URL begins. The scheme has two letters or more, because C:\sessions.db is a path. */
export const storeUrlPattern = /^[a-z][a-z0-9+.-]+:/;

export interface StoreUrl {
  /** In lower case. */
  readonly scheme: string;
  /** All that follows the scheme and its colon. A path is all of it, because a `?` may stand in a file's name. */
  readonly rest: string;
  /** The rest up to a `?`. */
  readonly place: string;
  /** What follows the `?`. */
  readonly options: URLSearchParams;
}

/** Schemes whose rest, or place, is a path on this machine: `~` and relative places mean something in them. */
const pathSchemes: ReadonlySet<string> = new Set(["file", "sqlite", "module"]);

/** Undefined if it begins with no scheme. */
export function splitStoreUrl(url: string): StoreUrl | undefined {
  const colon = url.indexOf(":");
  const scheme = url.slice(0, Math.max(colon, 0)).toLowerCase();
  if (!storeUrlPattern.test(`${scheme}:`)) return undefined;
  const rest = url.slice(colon + 1);
  const mark = rest.indexOf("?");
  const place = mark < 0 ? rest : rest.slice(0, mark);
  return { scheme, rest, place, options: new URLSearchParams(mark < 0 ? "" : rest.slice(mark + 1)) };
}

/** The path in `sqlite:/abs/path`, `sqlite:rel/path` or `sqlite:///abs/path`. Errors: `CONFIG_INVALID`. */
export function pathIn({ rest }: StoreUrl, form: string): string {
  const path = rest.startsWith("///") ? rest.slice(2) : rest;
  if (path === "" || path.startsWith("//")) {
    throw new SidecarError("CONFIG_INVALID", `The store URL names no path on this machine; write ${form}`);
  }
  return path;
}

/** The same URL with every path in it, of its layers too, as `placed` has it. What is no URL stays as it is. */
export function withPlaces(url: string, placed: (path: string) => string): string {
  const layers = layersOf(url);
  if (layers !== undefined) return layeredUrl(layers.map((layer) => withPlaces(layer, placed)));
  const { scheme = "", rest = "", place = "" } = splitStoreUrl(url) ?? {};
  const path = scheme === "module" ? place : rest;
  if (!pathSchemes.has(scheme) || path === "" || path.startsWith("//")) return url;
  return `${scheme}:${placed(path)}${rest.slice(path.length)}`;
}

/** The URL of stores before one another, the fastest first. */
export function layeredUrl(urls: readonly string[]): string {
  return `layered:${JSON.stringify(urls)}`;
}

/** The URLs in `layered:["cache:","sqlite:PATH"]`; undefined of another store, and if they cannot be read. */
export function layersOf(url: string): readonly string[] | undefined {
  const { scheme, rest = "" } = splitStoreUrl(url) ?? {};
  return scheme === "layered" ? urlsIn(rest) : undefined;
}

/** The layers of a layered store, two or more. Errors: `CONFIG_INVALID`. */
export function layersIn({ rest }: StoreUrl): readonly string[] {
  const layers = urlsIn(rest);
  if (layers !== undefined && layers.length >= 2) return layers;
  throw new SidecarError(
    "CONFIG_INVALID",
    `A layered store's URL is layered:["URL","URL"] with two or more, the fastest first`,
  );
}

function urlsIn(text: string): readonly string[] | undefined {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  return Array.isArray(found) && found.every((each) => typeof each === "string") ? found : undefined;
}

/** An error that says which layer it is about. @param at from 0; people count from 1 */
export function ofLayer(at: number, error: unknown): unknown {
  if (!isSidecarError(error)) return error;
  const { code, message, data, cause } = error;
  const layer = at + 1;
  return new SidecarError(code, `Layer ${layer} of the store: ${message}`, {
    data: { ...data, layer },
    cause,
  });
}
