/** What can be done with a session as a whole. */
import type { Api } from "./api.ts";
import { asked } from "./dialog.ts";
import { button, h } from "./elements.ts";
import { notArchivable } from "./in-use.ts";
import { titleOf } from "./names.ts";
import { failed, say } from "./notice.ts";
import { share } from "./share.ts";
import type { Session } from "./shapes.ts";

type OnChange = (session: Session) => void;

const formats = {
  markdown: "Markdown",
  html: "Page (HTML)",
  json: "JSON",
  jsonl: "JSONL",
  bundle: "Bundle, for another sidecar",
};

/** @param now what the session is when something is done */
export function actionsFor(api: Api, now: () => Session, onChange: OnChange): HTMLElement[] {
  const session = now();
  const run = (act: () => Promise<void>) => () => void act().catch(failed);
  return [
    button(
      "Rename",
      run(() => rename(api, session, onChange)),
      { class: "needs-prompt" },
    ),
    button(
      "Export",
      run(() => exported(api, session)),
      { class: "needs-export" },
    ),
    button(
      "Fork",
      run(() => fork(api, session)),
      { class: "needs-export" },
    ),
    button(
      "Share",
      run(() => share(api, session)),
      { class: "needs-own" },
    ),
    button(
      session.archived ? "Unarchive" : "Archive",
      run(() => archive(api, now(), onChange)),
      { class: "needs-prompt archive" },
    ),
  ];
}

/** @param folders those of sessions that are known, to choose from */
export async function newSession(api: Api, folders: readonly string[]): Promise<Session | undefined> {
  const cwd = h("input", {
    id: "cwd",
    list: "folders",
    required: true,
    maxlength: 4096,
    placeholder: "/home/you/project",
    value: folders[0],
    spellcheck: "false",
  });
  const known = h(
    "datalist",
    { id: "folders" },
    folders.map((value) => h("option", { value })),
  );
  const title = h("input", { id: "title", maxlength: 1000 });
  const fields = [
    h("label", { for: "cwd" }, "Folder"),
    cwd,
    known,
    h("label", { for: "title" }, "Title (or the first prompt is it)"),
    title,
  ];
  if ((await asked("New session", "Begin", ...fields)) === undefined) return undefined;
  const named = title.value.trim() === "" ? {} : { title: title.value.trim() };
  return api.json<Session>("/api/sessions", { method: "POST", body: { cwd: cwd.value.trim(), ...named } });
}

/** A new session that shares all that is final here. */
async function fork(api: Api, { id }: Session): Promise<void> {
  const made = await api.json<Session>(`/api/sessions/${id}/fork`, { method: "POST", body: {} });
  location.hash = made.id;
  say("This is the fork");
}

async function rename(api: Api, { id, ...session }: Session, onChange: OnChange): Promise<void> {
  const input = h("input", { id: "title", value: session.title, maxlength: 1000, required: true });
  const answer = await asked("Rename session", "Rename", h("label", { for: "title" }, "Title"), input);
  if (answer === undefined || input.value.trim() === "") return;
  onChange(
    await api.json<Session>(`/api/sessions/${id}`, { method: "PATCH", body: { title: input.value.trim() } }),
  );
  say("Renamed");
}

async function archive(api: Api, session: Session, onChange: OnChange): Promise<void> {
  const why = notArchivable(session);
  if (why !== undefined) return say(why, true);
  const { id, archived } = session;
  onChange(
    await api.json<Session>(`/api/sessions/${id}`, { method: "PATCH", body: { archived: !archived } }),
  );
  say(archived ? "Taken out of the archive" : "Archived: the list's filter shows it");
}

async function exported(api: Api, session: Session): Promise<void> {
  const options = Object.entries(formats).map(([value, name]) => h("option", { value }, name));
  const format = h("select", { id: "format" }, options);
  const thoughts = h("input", { type: "checkbox", id: "thoughts", checked: true });
  const redact = h("input", { type: "checkbox", id: "redact" });
  const answer = await asked(
    "Export session",
    "Save",
    h("label", { for: "format" }, "Format"),
    format,
    h("label", { class: "check" }, thoughts, " with thoughts"),
    h("label", { class: "check" }, redact, " without what looks like a secret"),
  );
  if (answer === undefined) return;
  const body = { format: format.value, redact: redact.checked, thoughts: thoughts.checked };
  const response = await api.response(`/api/sessions/${session.id}/export`, { method: "POST", body });
  const name = /filename\*=UTF-8''([^;\s]+)/.exec(response.headers.get("content-disposition") ?? "")?.[1];
  save(await response.blob(), name === undefined ? titleOf(session) : decodeURIComponent(name));
}

function save(blob: Blob, name: string): void {
  const href = URL.createObjectURL(blob);
  h("a", { href, download: name }).click();
  // The download has its own hold of it by then.
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}
