import { SessionContext } from "../../context/session-context.ts";
import { isMoved, type FileSince } from "../../context/since.ts";
import { gitText, nameBelow, whatText } from "../../context/words.ts";
import type { RelayContext } from "../context.ts";
import type { LiveSession } from "../live/session.ts";
import { asCode } from "./shown.ts";

/** What a person looks through in an editor. */
const mostShown = 50;

/** Before the turn of the command itself, because it may take a while. */
export async function changes({ registry }: RelayContext, live: LiveSession): Promise<string> {
  const { id } = live;
  const { cwd } = live.record;
  const { files, git } = await live.whileHeld(new SessionContext(registry).diff(id));
  const news = files.filter(isMoved);
  const said = git === undefined ? [] : [`- version control: ${asCode(gitText(git))}`];
  const more = news.length > mostShown ? [`- and ${news.length - mostShown} more`] : [];
  const lines = [...said, ...news.slice(0, mostShown).map((file) => lineOf(file, cwd)), ...more];
  if (files.length === 0)
    return "The agent was shown no file, and has written none, as far as is known here.";
  if (lines.length === 0) return `All ${files.length} files that the agent knows are as it knows them.`;
  return ["Since the agent last saw or wrote them:", "", ...lines].join("\n");
}

function lineOf(file: FileSince, cwd: string): string {
  const { path, to, how } = file;
  const place = to === undefined ? "" : ` to ${asCode(nameBelow(to, cwd))}`;
  const own = how === "written" ? " (the agent wrote it)" : "";
  return `- ${whatText(file)} ${asCode(nameBelow(path, cwd))}${place}${own}`;
}
