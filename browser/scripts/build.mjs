// Builds dist: the modules that browsers load, and their types.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build as bundle } from "esbuild";
import { minify } from "terser";
import { entries } from "./entries.mjs";
import { buildTypes } from "./types.mjs";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** Gives `use` a new folder that is gone afterwards. */
export async function inTempFolder(use, parent = tmpdir()) {
  const folder = mkdtempSync(join(parent, "sojourn-browser-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Builds everything into `folder`. The same sources always give the same bytes. */
export async function build(folder) {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  for (const entry of entries) {
    const { metafile, outputFiles } = await bundle({
      absWorkingDir: root,
      entryPoints: [entry.source],
      bundle: true,
      write: false,
      format: "esm",
      target: "es2022",
      charset: "utf8",
      metafile: true,
      plugins: [linkEntries(entry)],
    });
    let source = outputFiles[0].text;
    // A classic script: the list of exports becomes the object that it defines.
    if (entry.global) source = source.replace(/export \{([^}]*)\};\s*$/, (_, list) => `return {${list.replace(/(\w+) as (\w+)/g, "$2: $1")}};`);
    if (entry.global) source = `var ${entry.global} = (() => {${source}})();`;
    const { code } = await minify(source, {
      module: !entry.global,
      ecma: 2020,
      compress: { passes: 3, pure_getters: true, toplevel: true, ...(entry.global && { top_retain: [entry.global] }) },
      mangle: entry.global ? { reserved: [entry.global] } : true,
      format: { preamble: `/*! @sojourn/browser ${version} | MIT */`, ecma: 2020 },
    });
    mkdirSync(dirname(join(folder, entry.file)), { recursive: true });
    writeFileSync(join(folder, entry.file), code + "\n");
    const inputs = Object.values(metafile.outputs)[0].inputs;
    // Two copies of the error class would not know each other.
    if (inputs["src/errors.ts"] && !entry.core && !entry.bundle && !entry.global) throw new Error(`${entry.source} bundles src/errors.ts: import it from src/index.ts`);
  }
  const types = await inTempFolder((temp) => buildTypes(root, temp));
  for (const [file, text] of types) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
}

/** Leaves imports of other entries, and of the frameworks, to whoever loads the file. */
function linkEntries(entry) {
  return {
    name: "link-entries",
    setup({ onResolve }) {
      onResolve({ filter: /^[^.]/ }, ({ kind }) => (kind === "entry-point" ? undefined : { external: true }));
      onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
        const source = relative(root, join(resolveDir, path));
        const other = entries.find((e) => e.source === source);
        if (!other || other === entry || entry.inlines?.includes(source) || entry.global || entry.bundle) return undefined;
        const to = relative(dirname(entry.file), other.file);
        return { path: to.startsWith(".") ? to : `./${to}`, external: true };
      });
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  rmSync(join(root, "dist"), { recursive: true, force: true });
  await build(join(root, "dist"));
}
