/** Which language a file is written in, by the end of its name. */
import { extname } from "node:path";

const ends: Readonly<Record<string, string>> = {
  C: "c h",
  "C#": "cs",
  "C++": "cc cpp cxx hh hpp hxx",
  Clojure: "clj cljc cljs",
  CSS: "css less sass scss",
  Dart: "dart",
  Elixir: "ex exs",
  Elm: "elm",
  Erlang: "erl hrl",
  "F#": "fs fsi fsx",
  Go: "go",
  Haskell: "hs",
  HTML: "htm html",
  Java: "java",
  JavaScript: "cjs js jsx mjs",
  Julia: "jl",
  Kotlin: "kt kts",
  Lua: "lua",
  Markdown: "markdown md mdx",
  Nix: "nix",
  "Objective-C": "m mm",
  OCaml: "ml mli",
  Perl: "pl pm",
  PHP: "php",
  Python: "py pyi",
  R: "r",
  Ruby: "rb",
  Rust: "rs",
  Scala: "sc scala",
  Shell: "bash fish sh zsh",
  SQL: "sql",
  Svelte: "svelte",
  Swift: "swift",
  Terraform: "tf",
  TypeScript: "cts mts ts tsx",
  Vue: "vue",
  Zig: "zig",
};

const byEnd: ReadonlyMap<string, string> = new Map(
  Object.entries(ends).flatMap(([language, all]) =>
    all.split(" ").map((end) => [`.${end}`, language] as const),
  ),
);

/** Undefined for what is no source, or of a language that we do not know. */
export function languageOf(path: string): string | undefined {
  return byEnd.get(extname(path).toLowerCase());
}
