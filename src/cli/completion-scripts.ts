/**
 * The scripts that shells read. Each finds the words before the cursor, without flags and their values, and offers
 * what may follow them; after `--` comes an agent's command, of which we know nothing.
 */
import type { OfferedFlag, Offers, Place } from "./completion-places.ts";

const program = "acp-sidecar";

export function bashScript({ places, valued }: Offers): string {
  return script([
    `# bash completion of ${program}`,
    "_acp_sidecar() {",
    '  local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD - 1]}" at="" skip="" word i words flags',
    "  for ((i = 1; i < COMP_CWORD; i++)); do",
    '    word="${COMP_WORDS[i]}"',
    '    if [[ -n $skip ]]; then skip=""; continue; fi',
    '    case "$word" in',
    '      --) [[ $i -eq $((COMP_CWORD - 1)) ]] && COMPREPLY=($(compgen -c -- "$cur")); return 0 ;;',
    `      ${valued.map(dashed).join("|")}) skip=1 ;;`,
    "      -*) ;;",
    '      *) at="$at${at:+ }$word" ;;',
    "    esac",
    "  done",
    '  case "$prev" in',
    ...valued.map((flag) => `    ${dashed(flag)}) ${bashValues(flag)} return 0 ;;`),
    "  esac",
    '  case "$at" in',
    ...deepestFirst(places).flatMap(({ at, words, flags }) => [
      `    ${at.flatMap((each) => (each === "" ? ['""'] : [`"${each}"`, `"${each} "*`])).join("|")})`,
      `      words="${words.map(({ word }) => word).join(" ")}"`,
      `      flags="${flags.map(dashed).join(" ")}" ;;`,
    ]),
    "    *) return 0 ;;",
    "  esac",
    '  if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$cur"))',
    '  else COMPREPLY=($(compgen -W "$words" -- "$cur")); fi',
    "}",
    `complete -o default -F _acp_sidecar ${program}`,
  ]);
}

function bashValues({ takes }: OfferedFlag): string {
  if (takes === "file") return 'COMPREPLY=($(compgen -f -- "$cur"));';
  if (takes === "folder") return 'COMPREPLY=($(compgen -d -- "$cur"));';
  return typeof takes === "string" ? "" : `COMPREPLY=($(compgen -W "${takes.join(" ")}" -- "$cur"));`;
}

export function zshScript({ places, valued }: Offers): string {
  return script([
    `#compdef ${program}`,
    "_acp_sidecar() {",
    '  local cur="$words[CURRENT]" prev="$words[CURRENT-1]" at="" skip="" word i',
    "  local -a names flags",
    "  for ((i = 2; i < CURRENT; i++)); do",
    '    word="$words[i]"',
    '    if [[ -n $skip ]]; then skip=""; continue; fi',
    '    case "$word" in',
    "      --) shift $i words; ((CURRENT -= i)); _normal; return ;;",
    `      (${valued.map(dashed).join("|")}) skip=1 ;;`,
    "      -*) ;;",
    '      *) at="$at${at:+ }$word" ;;',
    "    esac",
    "  done",
    '  case "$prev" in',
    ...valued.map((flag) => `    ${dashed(flag)}) ${zshValues(flag)} return ;;`),
    "  esac",
    '  case "$at" in',
    ...deepestFirst(places).flatMap(({ at, words, flags }) => [
      `    (${at.flatMap((each) => (each === "" ? ['""'] : [`"${each}"`, `"${each} "*`])).join("|")})`,
      `      names=(${words.map(({ word, help }) => zshItem(word, help)).join(" ")})`,
      `      flags=(${flags.map((flag) => zshItem(dashed(flag), flag.help)).join(" ")}) ;;`,
    ]),
    "    *) _default; return ;;",
    "  esac",
    '  if [[ "$cur" == -* ]]; then _describe -o option flags',
    "  elif (( $#names )); then _describe command names",
    "  else _default; fi",
    "}",
    'if [[ "$funcstack[1]" == _acp_sidecar ]]; then _acp_sidecar "$@"; else compdef _acp_sidecar acp-sidecar; fi',
  ]);
}

function zshValues({ takes }: OfferedFlag): string {
  if (takes === "file") return "_files;";
  if (takes === "folder") return "_files -/;";
  return typeof takes === "string" ? "" : `compadd -- ${takes.join(" ")};`;
}

function zshItem(word: string, help: string): string {
  return quoted(help === "" ? word : `${word}:${help.replaceAll(":", "\\:")}`, "'\\''");
}

export function fishScript({ places, valued }: Offers): string {
  return script([
    `# fish completion of ${program}`,
    "function __acp_sidecar_at",
    "    set -l at",
    "    set -l skip",
    "    for word in (commandline -opc)[2..-1]",
    '        if test -n "$skip"',
    "            set skip",
    "            continue",
    "        end",
    "        switch $word",
    "            case --",
    "                return 1",
    `            case ${valued.map(dashed).join(" ")}`,
    "                set skip 1",
    "            case '-*'",
    "            case '*'",
    "                set -a at $word",
    "        end",
    "    end",
    '    contains -- "$at" $argv',
    "end",
    `complete -c ${program} -e`,
    ...places.flatMap(fishPlace),
  ]);
}

function fishPlace({ at, words, flags }: Place): string[] {
  const when = `complete -c ${program} -n ${quoted(`__acp_sidecar_at ${at.map((each) => `"${each}"`).join(" ")}`, "\\'")}`;
  return [
    ...words.map(({ word, help }) => `${when} -f -a ${word}${help && ` -d ${quoted(help, "\\'")}`}`),
    ...flags.map((flag) => `${when} -l ${flag.name} ${fishValues(flag)}-d ${quoted(flag.help, "\\'")}`),
  ];
}

function fishValues({ takes }: OfferedFlag): string {
  if (takes === "nothing") return "";
  if (takes === "file") return "-r -F ";
  if (takes === "folder") return "-x -a '(__fish_complete_directories)' ";
  return takes === "text" ? "-x " : `-x -a '${takes.join(" ")}' `;
}

export function powershellScript({ places, valued }: Offers): string {
  return script([
    `# PowerShell completion of ${program}`,
    `Register-ArgumentCompleter -Native -CommandName ${program} -ScriptBlock {`,
    "  param($wordToComplete, $commandAst, $cursorPosition)",
    `  $valued = @(${valued.map((flag) => powershellText(dashed(flag))).join(", ")})`,
    "  $choices = @{",
    ...valued.flatMap(powershellChoices),
    "  }",
    "  $places = @{",
    ...places.flatMap(powershellPlace),
    "  }",
    "  $at = @(); $skip = $false; $prev = ''",
    "  foreach ($element in ($commandAst.CommandElements | Select-Object -Skip 1)) {",
    "    if ($element.Extent.EndOffset -ge $cursorPosition) { break }",
    "    $word = $element.ToString(); $prev = $word",
    "    if ($skip) { $skip = $false; continue }",
    "    if ($word -eq '--') { return }",
    "    if ($valued -contains $word) { $skip = $true; continue }",
    "    if (-not $word.StartsWith('-')) { $at += $word }",
    "  }",
    "  if ($skip) { $offers = @($choices[$prev] | ForEach-Object { ,@($_, $_) }) }",
    "  else { $offers = $places[($at -join ' ')] }",
    "  $offers | Where-Object { $_ -and $_[0] -like \"$wordToComplete*\" -and ($wordToComplete -like '-*' -or $_[0] -notlike '-*') } | ForEach-Object {",
    "    [System.Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterValue', $_[1])",
    "  }",
    "}",
  ]);
}

function powershellChoices(flag: OfferedFlag): string[] {
  const { takes } = flag;
  if (typeof takes === "string") return [];
  return [`    ${powershellText(dashed(flag))} = @(${takes.map(powershellText).join(", ")})`];
}

function powershellPlace({ at, words, flags }: Place): string[] {
  const offers = [
    ...words.map(({ word, help }) => powershellItem(word, help)),
    ...flags.map((flag) => powershellItem(dashed(flag), flag.help)),
  ];
  // One pair alone would be taken for a list of two words.
  const list = `@(${offers.length === 1 ? "," : ""}${offers.join(", ")})`;
  return at.map((each) => `    ${powershellText(each)} = ${list}`);
}

function powershellItem(word: string, help: string): string {
  return `@(${powershellText(word)}, ${powershellText(help === "" ? word : help)})`;
}

function powershellText(value: string): string {
  return quoted(value, "''");
}

/** "sessions ls" before "sessions", which its words begin with. */
function deepestFirst(places: readonly Place[]): readonly Place[] {
  const depth = ({ at }: Place) => at[0]?.split(" ").length ?? 0;
  return places.toSorted((a, b) => depth(b) - depth(a));
}

function dashed({ name }: OfferedFlag): string {
  return `--${name}`;
}

function quoted(text: string, quote: string): string {
  return `'${text.replaceAll("'", quote)}'`;
}

function script(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}
