import type { Plugin as BundlePlugin } from "esbuild";
import type { Plugin as TestPlugin } from "vitest/config";

export const viewInBundles: BundlePlugin;
export const viewInTests: TestPlugin;
