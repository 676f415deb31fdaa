// Called by docs/preview: checks every formula of the built pages and points them at the local copy of KaTeX.
import { createRequire } from "node:module";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const [root, version] = process.argv.slice(2);
const local = resolve(root, "katex", version);
const katex = createRequire(import.meta.url)(join(local, "katex.min.js"));

const entities = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"', "&#39;": "'", "&#x27;": "'" };
const decode = (text) => text.replace(/<[^>]*>/g, "").replace(/&[#\w]+;/g, (e) => entities[e] ?? e);

function* pages(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !["katex", "src", "static.files", "search.index"].includes(entry.name)) yield* pages(path);
    else if (entry.name.endsWith(".html")) yield path;
  }
}

const forms = [
  [/<pre class="language-math"><code>([\s\S]*?)<\/code><\/pre>/g, true],
  [/\$<code>([\s\S]*?)<\/code>\$/g, false],
];
let formulas = 0;
let failures = 0;
for (const page of pages(root)) {
  const html = readFileSync(page, "utf8");
  for (const [pattern, displayMode] of forms) {
    for (const match of html.matchAll(pattern)) {
      formulas += 1;
      try {
        katex.renderToString(decode(match[1]), { displayMode, throwOnError: true });
      } catch (error) {
        failures += 1;
        console.error(`${page}: ${error.message}\n  ${decode(match[1]).trim()}`);
      }
    }
  }
  const cdn = new RegExp(`https://cdn\\.jsdelivr\\.net/npm/katex@${version}/dist`, "g");
  const offline = html.replace(cdn, relative(dirname(page), local)).replace(/ integrity="[^"]*" crossorigin="anonymous"/g, "");
  if (offline !== html) writeFileSync(page, offline);
}
console.log(`${formulas} formulas, ${failures} failures`);
process.exit(failures === 0 ? 0 : 1);
