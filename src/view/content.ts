/** Content blocks of ACP as elements. */
import { textOf } from "../acp/content.ts";
import { isRecord, textOr, type Json } from "../base/json.ts";
import { visibleLine } from "../base/visible.ts";
import { h } from "./elements.ts";
import { plainCode, richText } from "./long.ts";
import { linkTo } from "./markdown/draw.ts";
import { webAddress } from "./markdown/links.ts";
import { sizeText } from "./when.ts";

/** What is longer is named by its size. */
const maxImageChars = 4 << 20;

/** Neighbouring texts are one text. */
export function contentOf(content: readonly Json[]): HTMLElement[] {
  const drawn: HTMLElement[] = [];
  let text = "";
  const flush = () => {
    if (text.trim() !== "") drawn.push(richText(text));
    text = "";
  };
  for (const block of content) {
    const other = otherThanText(block);
    if (other === undefined) {
      text += textOf({ content: [block] });
      continue;
    }
    flush();
    drawn.push(other);
  }
  flush();
  return drawn;
}

/** Undefined for a text, and for what is told by one. */
export function otherThanText(block: Json): HTMLElement | undefined {
  if (!isRecord(block)) return undefined;
  if (block.type === "image") return imageOf(block);
  if (block.type === "resource_link")
    return attached(textOr(block.title, textOr(block.name, "")), textOr(block.uri, ""));
  const { resource } = block;
  if (block.type !== "resource" || !isRecord(resource)) return undefined;
  const uri = textOr(resource.uri, "");
  if (typeof resource.text !== "string") return attached("", uri);
  return h("details", { class: "attached" }, h("summary", {}, visibleLine(uri)), plainCode(resource.text));
}

/** One that stands in the block itself; one elsewhere is named and not fetched. */
function imageOf(block: Readonly<Record<string, unknown>>): HTMLElement {
  const [type, data] = [textOr(block.mimeType, ""), textOr(block.data, "")];
  const isShown = /^image\/(?:png|jpeg|gif|webp)$/.test(type) && data.length <= maxImageChars;
  if (isShown && data !== "" && /^[A-Za-z0-9+/]*={0,2}$/.test(data))
    return h("p", {}, h("img", { src: `data:${type};base64,${data}`, alt: "Image", loading: "lazy" }));
  const uri = textOr(block.uri, "");
  return attached(`Image (${type || "of no type"}, ${sizeText(data.length)})`, uri);
}

function attached(name: string, uri: string): HTMLElement {
  const href = webAddress(uri);
  const shown = visibleLine(name === "" || uri === "" ? name + uri : `${name} — ${uri}`);
  const text = document.createTextNode(shown);
  return h("p", { class: "attached", dir: "auto" }, "📎 ", href === undefined ? text : linkTo(href, [text]));
}
