/** Where a session is prompted, a turn that runs is stopped, and what its agent asks for is decided. */
import { ApiError, type Api } from "./api.ts";
import { asked } from "./dialog.ts";
import { button, h } from "./elements.ts";
import { inUse, type InUse, type Prompting } from "./in-use.ts";
import { failed, say } from "./notice.ts";
import { permissionOf, type OpenPermission } from "./permission.ts";
import type { Session, TokenRights } from "./shapes.ts";

const noteId = "in-use";

export class Composer {
  readonly element: HTMLElement;
  readonly #api: Api;
  readonly #path: string;
  readonly #asked = h("div", { class: "composer-box asked-box", "aria-live": "assertive" });
  readonly #note = h("p", { id: noteId, role: "status" });
  readonly #end = button("End it there", () => void this.#endThere().catch(failed), {
    class: "needs-own",
    title: "Its turn is cancelled and it is closed there; what was said stays",
    hidden: true,
  });
  readonly #text = h("textarea", {
    rows: 1,
    "aria-label": "Prompt",
    "aria-describedby": noteId,
    placeholder: "Prompt the agent",
    title: "Enter sends, Shift+Enter is a new line",
  });
  readonly #send = h("button", { type: "submit", class: "primary", "aria-describedby": noteId }, "Send");
  readonly #stop = button("Stop", () => void this.#cancel().catch(failed), { hidden: true });
  readonly #ending = new AbortController();
  #isPrompting = false;
  #session: Session | undefined;
  #server: Prompting = { onBusy: "idle", hasAgent: true };
  #inUse: InUse | undefined;

  /** @param rights what the server lets one do; as is usual, until that is known */
  constructor(api: Api, id: string, rights: Promise<TokenRights>) {
    [this.#api, this.#path] = [api, `/api/sessions/${id}`];
    const form = h("form", { class: "composer-box" }, this.#text, this.#send, this.#stop);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#prompt().catch(failed);
    });
    this.#text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
    const used = h("div", { class: "composer-box in-use" }, this.#note, this.#end);
    this.element = h("div", { class: "composer needs-prompt", hidden: true }, this.#asked, used, form);
    this.permissions().catch(() => undefined);
    rights.then(
      (told) => {
        this.#server = told;
        this.#show();
      },
      () => undefined,
    );
  }

  take(session: Session): void {
    this.#session = session;
    this.element.hidden = session.archived;
    this.#show();
  }

  /** Asks anew what waits for an answer. */
  async permissions(): Promise<void> {
    const { permissions } = await this.#api.json<{ permissions: readonly OpenPermission[] }>(
      `${this.#path}/permissions`,
      { signal: this.#ending.signal },
    );
    const decide = async (permission: OpenPermission, decision: object) => {
      await this.#api.json(`${this.#path}/permissions/${encodeURIComponent(permission.permissionId)}`, {
        method: "POST",
        body: decision,
      });
      await this.permissions();
    };
    this.#asked.replaceChildren(
      ...permissions.map((each) =>
        permissionOf(each, (decision) => void decide(each, decision).catch(failed)),
      ),
    );
  }

  /** The turn goes on when nobody looks any more. */
  close(): void {
    this.#ending.abort();
  }

  #show(): void {
    const [before, session] = [this.#inUse, this.#session];
    this.#inUse = session && inUse(session, this.#server);
    const { text = "", isRefused = false, canEnd = false } = this.#inUse ?? {};
    // What has not changed is not read out again.
    if (this.#note.textContent !== text) this.#note.textContent = text;
    this.#end.hidden = !canEnd;
    this.#send.disabled = this.#isPrompting;
    // It can be reached by keys, and says why it does nothing.
    this.#send.setAttribute("aria-disabled", String(isRefused));
    const runsHere = session?.state === "running" && session.lease?.isHere === true;
    this.#stop.hidden = !(runsHere || this.#isPrompting);
    if (before?.isRefused === true && !isRefused) say("The session can be prompted again");
  }

  async #prompt(): Promise<void> {
    const prompt = this.#text.value;
    if (this.#inUse?.isRefused === true) return say(this.#inUse.text, true);
    if (prompt.trim() === "" || this.#isPrompting) return;
    this.#isPrompting = true;
    this.#show();
    try {
      for await (const { event, data } of this.#api.events(`${this.#path}/prompt`, this.#ending.signal, {
        method: "POST",
        body: { prompt },
      })) {
        // It has begun: what it says comes by the session's own events.
        if (this.#text.value === prompt) this.#text.value = "";
        if (event === "permission") await this.permissions();
        if (event === "error") say((JSON.parse(data) as { detail: string }).detail, true);
      }
    } catch (error) {
      // An agent may think for long, and says nothing then.
      if (!(error instanceof ApiError && error.code === "SILENT")) throw error;
    } finally {
      this.#isPrompting = false;
      this.#show();
    }
    await this.permissions();
  }

  async #cancel(): Promise<void> {
    await this.#api.json(`${this.#path}/cancel`, { method: "POST" });
    say("Asked to stop");
  }

  /** In order, where its process can be asked; else by force, where that is meant. */
  async #endThere(): Promise<void> {
    this.#end.disabled = true;
    try {
      await this.#ended({}).catch(async (error: unknown) => {
        if (!(error instanceof ApiError && error.code === "SESSION_BUSY")) throw error;
        const why = h(
          "p",
          {},
          "Its process cannot be asked from here. What its agent still does there is not kept.",
        );
        if ((await asked("End it by force?", "End it", why)) !== undefined)
          await this.#ended({ force: true });
      });
    } finally {
      this.#end.disabled = false;
    }
  }

  async #ended(body: object): Promise<void> {
    await this.#api.json(`${this.#path}/end`, { method: "POST", body });
  }
}
