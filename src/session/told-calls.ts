/** Tool calls as the teller tells them: each update with what was said of its call before. */
import { lastHeardIn } from "../acp/last-heard.ts";
import type { Meaning } from "../acp/entries.ts";
import { beginningOf } from "../base/beginning.ts";
import { textIf, textOr } from "../base/json.ts";
import { RecentMap } from "../base/recent-map.ts";
import type { Called, Place } from "./happenings.ts";

/** A turn with more calls than this forgets the first ones: news of them are told as they come. */
const maxCalls = 10_000;
/** A title is a line; what is longer is not kept for later. */
const maxTitleChars = 1000;

type Known = Pick<Called, "title" | "kind" | "status" | "startedAtMs"> & Pick<Place, "parentCallId">;

/** The calls of one session in one turn. */
export class Calls {
  readonly #known = new RecentMap<string, Known>(maxCalls);

  told({ toolCallId, data }: Meaning & { readonly type: "toolCall" }, at: Place): Called {
    const { update } = data;
    const before = this.#known.get(toolCallId);
    const parentCallId = at.parentCallId ?? before?.parentCallId;
    const known: Known = {
      title: textOr(update.title, before?.title ?? toolCallId),
      kind: textIf(update.kind) ?? before?.kind,
      status: textIf(update.status) ?? before?.status,
      startedAtMs: before?.startedAtMs ?? at.atMs,
      ...(parentCallId !== undefined && { parentCallId }),
    };
    this.#known.set(toolCallId, { ...known, title: beginningOf(known.title, maxTitleChars) });
    return {
      ...at,
      type: "call",
      callId: toolCallId,
      ...known,
      isNews: before !== undefined,
      lastMs: lastHeardIn(data) ?? at.atMs,
      update,
    };
  }
}
