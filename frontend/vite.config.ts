import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const integration = fileURLToPath(
  new URL("../custom_components/loxone_wallbox/", import.meta.url),
);
const manifest = JSON.parse(readFileSync(`${integration}manifest.json`, "utf8"));

export default defineConfig({
  define: { __VERSION__: JSON.stringify(manifest.version) },
  build: {
    target: "es2022",
    // The build compares into another folder before it replaces what is committed.
    outDir: process.env.CARD_FOLDER ?? `${integration}frontend`,
    emptyOutDir: false,
    sourcemap: false,
    reportCompressedSize: false,
    lib: {
      entry: "src/index.ts",
      formats: ["es"],
      fileName: () => "loxone-wallbox-card.js",
    },
    rolldownOptions: { output: { codeSplitting: false } },
  },
  test: {
    environment: "jsdom",
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/setup.ts"],
    restoreMocks: true,
    // On a busy machine a page of sixty sessions takes its time.
    testTimeout: 30_000,
    // A page for each file costs more than all tests; they leave theirs empty.
    isolate: false,
  },
});
