// Bundles page.js and page.css into dist/, under names with a hash of their content, and prints how large each is as
// gzip. `cargo xtask assets` runs it; ../build.rs embeds the two files in the binary.

import { build } from "esbuild";
import { readFileSync, readdirSync, rmSync } from "node:fs";
import { gzipSync } from "node:zlib";

const here = new URL("./", import.meta.url);
const dist = new URL("dist/", here);

rmSync(dist, { recursive: true, force: true });
await build({
  absWorkingDir: here.pathname,
  entryPoints: ["page.js", "page.css"],
  outdir: "dist",
  entryNames: "[name]-[hash]",
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2022", "chrome111", "firefox121", "safari16.4"],
  legalComments: "inline",
  logLevel: "warning",
});
for (const name of readdirSync(dist)) {
  const compressed = gzipSync(readFileSync(new URL(name, dist)));
  console.log(`${name}: ${compressed.length} bytes compressed`);
}
