import { defineConfig } from "vitest/config";
import { luaInTests } from "./.ci/lua.mjs";

export default defineConfig({
  plugins: [luaInTests],
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/built.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Many tests wait for processes and timers: two at a time even where there are two cores.
    maxWorkers: 2,
  },
});
