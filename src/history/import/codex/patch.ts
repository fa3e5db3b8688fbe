/** What a patch in the form of `apply_patch` changes: of each place the lines before and after. */

export interface Change {
  readonly type: "diff";
  readonly path: string;
  /** Null for a new file. */
  readonly oldText: string | null;
  readonly newText: string;
}

const heads = {
  "*** Add File: ": "add",
  "*** Update File: ": "update",
  "*** Delete File: ": "delete",
} as const;

export function changesIn(patch: string): Change[] {
  const changes: Change[] = [];
  let place: Place | undefined;
  for (const line of patch.split("\n")) {
    const head = Object.entries(heads).find(([start]) => line.startsWith(start));
    if (head !== undefined) {
      finish(changes, place);
      place = { path: line.slice(head[0].length).trim(), how: head[1], before: [], after: [] };
    } else if (line.startsWith("@@") && place !== undefined) {
      finish(changes, place.before.length + place.after.length > 0 ? place : undefined);
      place = { ...place, before: [], after: [] };
    } else if (!line.startsWith("*** ")) note(place, line);
  }
  finish(changes, place);
  return changes;
}

interface Place {
  readonly path: string;
  readonly how: (typeof heads)[keyof typeof heads];
  readonly before: string[];
  readonly after: string[];
}

function note(place: Place | undefined, line: string): void {
  const [sign, rest] = [line.slice(0, 1), line.slice(1)];
  if (sign !== "+") place?.before.push(rest);
  if (sign !== "-") place?.after.push(rest);
}

function finish(changes: Change[], place: Place | undefined): void {
  if (place === undefined) return;
  const { path, how, before, after } = place;
  const oldText = how === "add" ? null : before.join("\n");
  changes.push({ type: "diff", path, oldText, newText: how === "delete" ? "" : after.join("\n") });
}
