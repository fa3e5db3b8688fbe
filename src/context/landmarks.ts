/** Files by which a project is known: what it is built with, and what is written for agents. */
import { basename } from "node:path";

/** Names of manifests, by what they belong to. */
const manifests = new Set(
  [
    "package.json deno.json deno.jsonc pnpm-workspace.yaml",
    "pyproject.toml setup.py requirements.txt Pipfile",
    "Cargo.toml go.mod go.work",
    "pom.xml build.gradle build.gradle.kts settings.gradle build.sbt",
    "Gemfile composer.json mix.exs Package.swift pubspec.yaml",
    "CMakeLists.txt Makefile makefile GNUmakefile meson.build justfile Justfile Taskfile.yml",
    "flake.nix Dockerfile compose.yaml docker-compose.yml",
  ]
    .join(" ")
    .split(" "),
);
const manifestEnds = [".csproj", ".fsproj", ".sln", ".cabal", ".gemspec"];

/** What people write for agents, wherever it stands (agents.md, and the names that agents look for themselves). */
const instructionNames = new Set(
  "AGENTS.md AGENT.md CLAUDE.md CLAUDE.local.md GEMINI.md QWEN.md CONVENTIONS.md .cursorrules .windsurfrules .clinerules .goosehints .rules".split(
    " ",
  ),
);
const instructionPaths = new Set([".github/copilot-instructions.md", ".junie/guidelines.md"]);
const instructionFolders = [".cursor/rules/", ".claude/rules/"];

/** @param path below the project's root, with slashes */
export function isManifest(path: string): boolean {
  // Of what stands deeper a workspace names only some, and a copy of another project all.
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (!manifests.has(name) && !manifestEnds.some((end) => name.endsWith(end))) return false;
  return path.split("/").length <= 3;
}

export function isInstruction(path: string): boolean {
  return (
    instructionNames.has(path.slice(path.lastIndexOf("/") + 1)) ||
    instructionPaths.has(path) ||
    instructionFolders.some((folder) => path.startsWith(folder))
  );
}

const secretNames =
  /^(?:\.env(?:\..+)?|\.envrc|\.netrc|_netrc|\.npmrc|\.pypirc|\.pgpass|\.git-credentials|\.htpasswd|id_(?:rsa|dsa|ecdsa|ed25519)|credentials(?:\.json|\.toml|\.ya?ml)?|secrets?(?:\..+)?|.*\.(?:pem|key|p12|pfx|jks|keystore|kdbx|gpg|asc|age))$/i;
const secretFolders = /(?:^|\/)(?:\.ssh|\.gnupg|\.aws|\.kube|\.docker|secrets?)\//i;

/** Whether it looks as if it held secrets: it is named at most, and never read. */
export function looksSecret(path: string): boolean {
  const plain = path.replaceAll("\\", "/");
  const name = basename(plain);
  // A sample is there to be read.
  if (/^\.env\.(?:example|sample|template|dist)$/i.test(name)) return false;
  return secretNames.test(name) || secretFolders.test(plain);
}
