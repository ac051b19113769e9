// Bundles page.js and page.css into dist/, under names with a hash of their content, plain and compressed.
// `cargo xtask assets` runs it; ../build.rs embeds what it leaves.

import { build } from "esbuild";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
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
  const file = new URL(name, dist);
  const compressed = gzipSync(readFileSync(file), { level: 9 });
  writeFileSync(new URL(`${name}.gz`, dist), compressed);
  console.log(`${name}: ${compressed.length} bytes compressed`);
}
