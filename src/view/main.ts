/** The page: who looks at it, the list, and the conversation that its address names. */
import { newSession } from "./actions.ts";
import { Api } from "./api.ts";
import { Conversation } from "./conversation.ts";
import { showKeys } from "./dialog.ts";
import { dropEarly } from "./early.ts";
import { byId, h } from "./elements.ts";
import { onKeys } from "./keys.ts";
import { List } from "./list.ts";
import { failed } from "./notice.ts";
import type { TokenRights } from "./shapes.ts";
import { forgetToken, isTokenComing, keepToken, takeToken } from "./token.ts";

function start(secret: string): void {
  byId("stranger").hidden = true;
  byId("app").hidden = false;
  new Page(new Api(secret, () => strange()));
}

/** The token is not known, or not any more. */
function strange(): void {
  forgetToken();
  askForToken("The server does not know this token, or not any more; paste another one.");
}

function askForToken(why: string): void {
  byId("app").hidden = true;
  byId("stranger").hidden = false;
  byId("stranger-why").textContent = why;
  const input = byId<HTMLInputElement>("token");
  input.focus();
  byId("stranger").onsubmit = (event) => {
    event.preventDefault();
    keepToken(input.value.trim());
    location.reload();
  };
}

class Page {
  readonly #api: Api;
  readonly #list: List;
  readonly #main = byId("main");
  readonly #rights: Promise<TokenRights>;
  #conversation: Conversation | undefined;

  constructor(api: Api) {
    this.#api = api;
    this.#list = new List({
      api,
      list: byId("list"),
      hits: byId("hits"),
      end: byId("list-end"),
      onChange: () => undefined,
    });
    for (const id of ["search", "state", "archived"]) byId(id).addEventListener("input", () => this.#wish());
    byId("new").addEventListener("click", () => void this.#begin().catch(failed));
    byId("help").addEventListener("click", showKeys);
    window.addEventListener("hashchange", () => this.#go());
    onKeys({ conversation: () => this.#conversation, leave: () => (location.hash = "") });
    this.#wish();
    this.#rights = api.json<TokenRights>("/api/token");
    this.#go();
    void this.#learnRights().catch(() => undefined);
  }

  /** What a token may not do is not offered; who asks all the same is refused by the server. */
  async #learnRights(): Promise<void> {
    const { permissions, isOwners } = await this.#rights;
    const may = [...permissions, ...(isOwners ? ["own"] : [])];
    document.documentElement.dataset["may"] = may.join(" ");
  }

  #wish(): void {
    const value = (id: string) => byId<HTMLInputElement>(id).value;
    this.#list.wish({ text: value("search").trim(), state: value("state"), archived: value("archived") });
  }

  async #begin(): Promise<void> {
    const session = await newSession(this.#api, this.#list.folders);
    if (session === undefined) return;
    this.#list.take(session);
    location.hash = session.id;
  }

  /** `#ID` is a session, `#ID/SEQ` an entry of it. */
  #go(): void {
    const [id = "", seq] = location.hash.slice(1).split("/");
    const isSession = /^[0-9A-Z]{26}$/.test(id);
    byId("app").classList.toggle("reading", isSession);
    this.#list.mark(isSession ? id : undefined);
    if (!isSession) return this.#leave();
    const at = seq !== undefined && /^\d{1,15}$/.test(seq) ? Number(seq) : undefined;
    if (this.#conversation?.id === id) {
      if (at !== undefined) this.#conversation.goTo(at).catch(failed);
      return;
    }
    this.#conversation?.close();
    const onChange = this.#list.take.bind(this.#list);
    const opened = new Conversation({
      ...{ api: this.#api, main: this.#main, id, rights: this.#rights, onChange },
    });
    this.#conversation = opened;
    opened.open(at).catch((error: unknown) => this.#cannot(opened, error));
    opened.focus();
  }

  #cannot(opened: Conversation, error: unknown): void {
    if (this.#conversation !== opened) return;
    this.#leave();
    const why = error instanceof Error ? error.message : String(error);
    this.#main.replaceChildren(
      h("p", { class: "empty bad", role: "alert" }, why, " ", h("a", { href: "#" }, "All sessions")),
    );
  }

  #leave(): void {
    this.#conversation?.close();
    this.#conversation = undefined;
    document.title = "acp-sidecar";
    this.#main.replaceChildren(h("p", { class: "empty" }, "Choose a session."));
  }
}

// A link that is opened where the page is open already makes no new page.
window.addEventListener("hashchange", () => {
  if (!isTokenComing()) return;
  takeToken();
  location.reload();
});

const token = takeToken();
if (token === undefined) askForToken("");
else start(token);
dropEarly();
