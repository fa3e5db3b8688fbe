/** Where a session is prompted, a turn that runs is stopped, and what its agent asks for is decided. */
import { ApiError, type Api } from "./api.ts";
import { button, h } from "./elements.ts";
import { failed, say } from "./notice.ts";
import { permissionOf, type OpenPermission } from "./permission.ts";
import type { Session } from "./shapes.ts";

export class Composer {
  readonly element: HTMLElement;
  readonly #api: Api;
  readonly #path: string;
  readonly #asked = h("div", { class: "composer-box asked-box", "aria-live": "assertive" });
  readonly #text = h("textarea", {
    rows: 1,
    "aria-label": "Prompt",
    placeholder: "Prompt the agent",
    title: "Enter sends, Shift+Enter is a new line",
  });
  readonly #send = h("button", { type: "submit", class: "primary" }, "Send");
  readonly #stop = button("Stop", () => void this.#cancel().catch(failed), { hidden: true });
  readonly #ending = new AbortController();
  #isPrompting = false;
  #isRunning = false;

  constructor(api: Api, id: string) {
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
    this.element = h("div", { class: "composer needs-prompt", hidden: true }, this.#asked, form);
    this.permissions().catch(() => undefined);
  }

  take({ state, archived }: Session): void {
    this.#isRunning = state === "running";
    this.element.hidden = archived;
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
    this.#stop.hidden = !(this.#isRunning || this.#isPrompting);
    this.#send.disabled = this.#isPrompting;
  }

  async #prompt(): Promise<void> {
    const prompt = this.#text.value;
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
}
