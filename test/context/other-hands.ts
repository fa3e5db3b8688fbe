import fs from "node:fs";

/** What may be done to a file by other hands, whatever its times tell then. */
export const otherHands = [
  "write",
  "keepTimes",
  "replace",
  "replaceKeepingTimes",
  "delete",
  "touch",
] as const;
export type OtherHand = (typeof otherHands)[number];

export function doneByOthers(file: string, how: OtherHand, content: string): void {
  const before = fs.statSync(file, { throwIfNoEntry: false });
  const keepTimes = (at: string) => before && fs.utimesSync(at, before.atime, before.mtime);
  switch (how) {
    case "write":
      return fs.writeFileSync(file, content);
    case "keepTimes":
      fs.writeFileSync(file, content);
      return keepTimes(file);
    case "replace":
    case "replaceKeepingTimes":
      fs.writeFileSync(`${file}.new`, content);
      if (how === "replaceKeepingTimes") keepTimes(`${file}.new`);
      return fs.renameSync(`${file}.new`, file);
    case "delete":
      return fs.rmSync(file, { force: true });
    case "touch":
      return before && fs.utimesSync(file, new Date(), new Date());
  }
}
