/** Markdown as a tree: what a message is before it is shown. */

export type Inline =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "code"; readonly text: string }
  | { readonly type: "break" }
  | { readonly type: "strong" | "em" | "del"; readonly children: readonly Inline[] }
  /** `href` begins with `http://` or `https://`. */
  | { readonly type: "link"; readonly href: string; readonly children: readonly Inline[] };

export type Align = "left" | "center" | "right" | undefined;

export interface ListItem {
  /** Undefined where it is no task. */
  readonly isDone: boolean | undefined;
  readonly blocks: readonly Block[];
}

export type Block =
  | { readonly type: "paragraph"; readonly text: string }
  | { readonly type: "heading"; readonly level: number; readonly text: string }
  | { readonly type: "code"; readonly language: string; readonly text: string }
  | { readonly type: "quote"; readonly blocks: readonly Block[] }
  | { readonly type: "list"; readonly start: number | undefined; readonly items: readonly ListItem[] }
  | {
      readonly type: "table";
      readonly aligns: readonly Align[];
      readonly head: readonly string[];
      readonly rows: readonly (readonly string[])[];
    }
  | { readonly type: "rule" };
