/** The real agents that are tried: the package of each, and how it is set up to ask a model on this machine. */
import fs from "node:fs";
import path from "node:path";

/**
 * `command(bin)`: what starts it in ACP mode, `bin` being where packages put their programs; `env(model, home)`: what
 * it needs to know; `setUp(model, home)`: files of its own. Each has a home of its own. `needs`: packages besides.
 */
export const agents = [
  {
    name: "OpenCode",
    package: "opencode-ai",
    command: (bin) => [path.join(bin, "opencode"), "acp"],
    env: (model) => ({
      OPENCODE_DISABLE_AUTOUPDATE: "1",
      OPENCODE_DISABLE_MODELS_FETCH: "1",
      OPENCODE_CONFIG_CONTENT: JSON.stringify({
        model: "local/scripted",
        small_model: "local/scripted",
        autoupdate: false,
        share: "disabled",
        permission: { bash: "ask", edit: "ask" },
        provider: {
          local: {
            npm: "@ai-sdk/openai-compatible",
            name: "Local",
            options: { baseURL: `${model}/v1`, apiKey: "none" },
            models: {
              scripted: { name: "Scripted", tool_call: true, limit: { context: 100_000, output: 4000 } },
            },
          },
        },
      }),
    }),
  },
  {
    name: "Claude Agent",
    package: "@agentclientprotocol/claude-agent-acp",
    command: (bin) => [path.join(bin, "claude-agent-acp")],
    env: (model) => ({
      ANTHROPIC_BASE_URL: model,
      ANTHROPIC_API_KEY: "none",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_AUTOUPDATER: "1",
      IS_SANDBOX: "1",
    }),
    setUp: (_model, home) => {
      fs.mkdirSync(path.join(home, ".claude"), { recursive: true });
      const settings = { permissions: { ask: ["Bash"] } };
      fs.writeFileSync(path.join(home, ".claude", "settings.json"), JSON.stringify(settings));
    },
  },
  {
    name: "Codex",
    package: "@agentclientprotocol/codex-acp",
    command: (bin) => [process.execPath, path.join(bin, "../@agentclientprotocol/codex-acp/dist/index.js")],
    env: (_model, home) => ({ CODEX_HOME: path.join(home, ".codex"), OPENAI_API_KEY: "none" }),
    setUp: (model, home) => {
      fs.mkdirSync(path.join(home, ".codex"), { recursive: true });
      const lines = [
        'model = "gpt-5.2-codex"',
        'model_provider = "local"',
        "[model_providers.local]",
        'name = "Local"',
        `base_url = "${model}/v1"`,
        'wire_api = "responses"',
        'env_key = "OPENAI_API_KEY"',
      ];
      fs.writeFileSync(path.join(home, ".codex", "config.toml"), `${lines.join("\n")}\n`);
    },
  },
  {
    name: "Gemini CLI",
    package: "@google/gemini-cli",
    command: (bin) => [path.join(bin, "gemini"), "--experimental-acp"],
    env: (model) => ({
      GEMINI_API_KEY: "none",
      GOOGLE_GEMINI_BASE_URL: model,
      GEMINI_MODEL: "gemini-2.5-flash",
      GEMINI_CLI_NO_RELAUNCH: "1",
    }),
  },
  {
    name: "Qwen Code",
    package: "@qwen-code/qwen-code",
    command: (bin) => [path.join(bin, "qwen"), "--acp"],
    env: (model) => ({ OPENAI_API_KEY: "none", OPENAI_BASE_URL: `${model}/v1`, OPENAI_MODEL: "scripted" }),
  },
  {
    name: "Kimi Code",
    package: "@moonshot-ai/kimi-code",
    // It does not run on the oldest Node that we do.
    needs: ["node@24"],
    command: (bin) => [
      path.join(bin, "node"),
      path.join(bin, "../@moonshot-ai/kimi-code/dist/main.mjs"),
      "acp",
    ],
    env: (model, home) => ({
      KIMI_CODE_HOME: path.join(home, ".kimi"),
      KIMI_CODE_NO_AUTO_UPDATE: "1",
      KIMI_DISABLE_TELEMETRY: "1",
      KIMI_MODEL_NAME: "scripted",
      KIMI_MODEL_PROVIDER_TYPE: "openai",
      KIMI_MODEL_API_KEY: "none",
      KIMI_MODEL_BASE_URL: `${model}/v1`,
    }),
  },
];
