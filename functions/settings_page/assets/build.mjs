// Bundles page.js and page.css into the folder that its argument names (dist if there is none), under names with a hash of
// their content, and prints how large each is as gzip. ../build.rs runs it, and embeds the two files in the binary.

import { build } from "esbuild";
import { readFileSync, readdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const dist = resolve(here, process.argv[2] ?? "dist");

rmSync(dist, { recursive: true, force: true });
await build({
  absWorkingDir: here,
  entryPoints: ["page.js", "page.css"],
  outdir: dist,
  entryNames: "[name]-[hash]",
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2022", "chrome111", "firefox121", "safari16.4"],
  legalComments: "inline",
  logLevel: "warning",
});
for (const name of readdirSync(dist)) {
  const compressed = gzipSync(readFileSync(join(dist, name)));
  console.log(`${name}: ${compressed.length} bytes compressed`);
}
