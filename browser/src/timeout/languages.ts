import { english, type Messages } from "./messages.ts";

/** Written out, so that bundlers see each file; none is loaded before it is needed. */
const files: Record<string, () => Promise<Record<string, Messages>>> = {
  de: () => import("./lang/de.ts"),
  es: () => import("./lang/es.ts"),
  fr: () => import("./lang/fr.ts"),
  it: () => import("./lang/it.ts"),
  ja: () => import("./lang/ja.ts"),
  nl: () => import("./lang/nl.ts"),
  pl: () => import("./lang/pl.ts"),
  pt: () => import("./lang/pt.ts"),
  zh: () => import("./lang/zh.ts"),
};

const known = new Map<string, Messages>([["en", english]]);

/** Messages, and the language they are in. */
export interface Language {
  readonly tag: string;
  readonly messages: Messages;
}

/** Adds a language, or replaces one, for all dialogs: `addLanguage("sv", { … })`. */
export function addLanguage(tag: string, messages: Messages): void {
  known.set(tag.toLowerCase(), messages);
}

/**
 * Finds the messages for a language tag (RFC 4647 §3.4): "pt-BR", then "pt". A
 * language that is not known, or cannot be loaded now, is English.
 */
export async function findLanguage(wanted: string): Promise<Language> {
  for (let tag = wanted.toLowerCase(); tag; tag = tag.replace(/-?[^-]*$/, "")) {
    if (!known.has(tag) && Object.hasOwn(files, tag)) {
      const loaded = (await files[tag]?.().catch(() => undefined))?.[tag]; // offline: in English then
      if (loaded) known.set(tag, loaded);
    }
    const messages = known.get(tag);
    if (messages) return { tag, messages };
  }
  return { tag: "en", messages: english };
}
