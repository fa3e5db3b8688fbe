/** Whether a copy of a store would lie where the store itself does, however the two are spelt. */
import fs from "node:fs";
import path from "node:path";
import { realPlace } from "../base/disk.ts";
import { SidecarError } from "../base/errors.ts";
import { layersOf, splitStoreUrl } from "../base/store-url.ts";
import { placeOfStore } from "./maintenance.ts";

interface Place {
  /** Links are resolved. */
  readonly at: string;
  /** A folder whose contents are the store's. */
  readonly isFolder: boolean;
}

/** What SQLite keeps beside a database under its name. */
const companions = ["-wal", "-shm", "-journal"];

/** Errors: `USAGE`, before anything has been made or written. */
export function assertApart(fromUrl: string, toUrl: string): void {
  if (fromUrl === toUrl) throw same();
  for (const from of placesOf(fromUrl))
    for (const to of placesOf(toUrl)) {
      if (isSame(from, to)) throw same();
      if (isWithin(to, from) || isWithin(from, to))
        throw new SidecarError(
          "USAGE",
          "One of the two stores would lie within the other; name another place",
        );
    }
}

function placesOf(url: string): Place[] {
  const layers = layersOf(url);
  if (layers !== undefined) return layers.flatMap(placesOf);
  const place = placeOfStore(url);
  if (place === undefined) return [];
  return [{ at: realPlace(place), isFolder: splitStoreUrl(url)?.scheme === "file" }];
}

function isSame(a: Place, b: Place): boolean {
  if (a.at === b.at || isCompanion(a, b) || isCompanion(b, a)) return true;
  const [one, other] = [a, b].map(({ at }) => fs.statSync(at, { bigint: true, throwIfNoEntry: false }));
  // A second name of the same file, or a file system to which large and small letters are the same.
  return one !== undefined && one.ino === other?.ino && one.dev === other.dev && one.ino !== 0n;
}

function isCompanion({ at }: Place, { at: other, isFolder }: Place): boolean {
  return !isFolder && companions.some((end) => at === other + end);
}

function isWithin({ at }: Place, folder: Place): boolean {
  const way = path.relative(folder.at, at);
  return folder.isFolder && way !== "" && way.split(path.sep)[0] !== ".." && !path.isAbsolute(way);
}

function same(): SidecarError {
  return new SidecarError("USAGE", "Both URLs name the same store; name another one");
}
