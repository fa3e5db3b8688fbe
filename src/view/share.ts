/** With whom a session is shared: by their names, and by links that let whoever has one read. */
import type { Api } from "./api.ts";
import { asked } from "./dialog.ts";
import { button, h } from "./elements.ts";
import { failed, say } from "./notice.ts";
import type { Session } from "./shapes.ts";

interface Shares {
  readonly owner: string | null;
  readonly shares: readonly { readonly with: string; readonly permissions: readonly string[] }[];
  readonly links: readonly { readonly untilMs: number }[];
}

export async function share(api: Api, { id }: Session): Promise<void> {
  const path = `/api/sessions/${id}/share`;
  const { owner, shares, links } = await api.json<Shares>(path);
  const name = h("input", { id: "with", required: true, maxlength: 200, autocomplete: "off" });
  const mayWrite = h("input", { type: "checkbox" });
  const whose =
    owner === null
      ? "It belongs to nobody: everybody who can use this store may read it."
      : `It belongs to ${owner}.`;
  const answer = await asked(
    "Share session",
    "Share",
    h("p", { class: "note" }, whose),
    h(
      "ul",
      { class: "shares" },
      shares.map((each) => sharedRow(api, path, each)),
    ),
    linkRow(api, `/api/sessions/${id}/links`, links.length),
    h("label", { for: "with" }, "With whom (the name that their --identity has)"),
    name,
    h("label", { class: "check" }, mayWrite, " may also prompt"),
  );
  if (answer === undefined || name.value.trim() === "") return;
  const permissions = mayWrite.checked ? { permissions: ["read", "prompt"] } : {};
  await api.json(path, { method: "POST", body: { with: name.value.trim(), ...permissions } });
  say(`Shared with ${name.value.trim()}`);
}

function sharedRow(
  api: Api,
  path: string,
  { with: name, permissions }: Shares["shares"][number],
): HTMLElement {
  const end = async () => {
    await api.json(`${path}?${new URLSearchParams({ with: name })}`, { method: "DELETE" });
    row.remove();
  };
  const row = h(
    "li",
    {},
    h("bdi", {}, `${name} (${permissions.join(", ")})`),
    " ",
    button("Stop sharing", () => void end().catch(failed)),
  );
  return row;
}

/** A link is shown this once, and can be ended with all others. */
function linkRow(api: Api, path: string, count: number): HTMLElement {
  const made = h("input", { id: "link", readonly: true, "aria-label": "Link", hidden: true });
  const make = async () => {
    const { fragment, untilMs } = await api.json<{ fragment: string; untilMs: number }>(path, {
      method: "POST",
      body: {},
    });
    made.value = `${location.origin}/${fragment}`;
    made.hidden = false;
    made.select();
    told.textContent = `Whoever has it reads this session here until ${new Date(untilMs).toLocaleString()}.`;
    ending.hidden = false;
  };
  const end = async () => {
    await api.json(path, { method: "DELETE" });
    made.hidden = true;
    ending.hidden = true;
    told.textContent = "No link leads here any more.";
  };
  const ending = button("End all links", () => void end().catch(failed));
  ending.hidden = count === 0;
  const told = h("span", { class: "note", role: "status" }, count === 0 ? "" : `${count} lead here already.`);
  return h(
    "p",
    { class: "links" },
    button("Make a link to read it", () => void make().catch(failed)),
    " ",
    ending,
    " ",
    told,
    made,
  );
}
