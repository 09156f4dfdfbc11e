import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { addLanguage, findLanguage } from "../src/timeout/languages.ts";
import { duration, english, type Messages, type Plural } from "../src/timeout/messages.ts";

const tags = ["en", ...readdirSync("src/timeout/lang").map((file) => file.replace(".ts", ""))];
const languages = await Promise.all(tags.map((tag) => findLanguage(tag)));

test("ten languages are there, each under its own tag", () => {
  assert.deepEqual(languages.map(({ tag }) => tag).sort(), ["de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh"]);
});

for (const { tag, messages } of languages) {
  test(`${tag} says everything, and nothing twice`, () => {
    const keys = Object.keys(english) as (keyof Messages)[];
    assert.deepEqual(Object.keys(messages).sort(), [...keys].sort());
    const texts = keys.map((key) => messages[key]).filter((text) => typeof text === "string");
    assert.equal(new Set(texts).size, texts.length);
    assert(texts.every((text) => text.trim() === text && text));
    if (tag !== "en") for (const key of keys) if (typeof messages[key] === "string" && key !== "and") assert.notEqual(messages[key], english[key], key);
    for (const key of keys) {
      const timed = (["warning", "final", "remaining"] as (keyof Messages)[]).includes(key);
      assert.equal(String(messages[key]).split("{time}").length, timed ? 2 : 1, `${key}: {time}`);
    }
  });

  test(`${tag} has a form for every number`, () => {
    const rules = new Intl.PluralRules(tag);
    const needed = new Set<Intl.LDMLPluralRule>();
    for (let n = 0; n < 1000; n++) needed.add(rules.select(n));
    for (const unit of [messages.minute, messages.second]) {
      for (const category of needed) assert(unit[category]?.includes("#") || category === "other", category);
      assert.deepEqual(Object.keys(unit).filter((c) => !rules.resolvedOptions().pluralCategories.includes(c as keyof Plural)), []);
    }
    assert(!/[{}#]|undefined|NaN/.test(duration(100, messages, tag)));
  });
}

test("durations are told as people tell them", () => {
  const said = Object.fromEntries(languages.map(({ tag, messages }) => [tag, [1, 60, 100, 125, 300].map((s) => duration(s, messages, tag))]));
  assert.deepEqual(said["en"], ["1 second", "1 minute", "1 minute and 40 seconds", "2 minutes and 5 seconds", "5 minutes"]);
  assert.deepEqual(said["de"], ["1 Sekunde", "1 Minute", "1 Minute und 40 Sekunden", "2 Minuten und 5 Sekunden", "5 Minuten"]);
  assert.deepEqual(said["pl"], ["1 sekundę", "1 minutę", "1 minutę i 40 sekund", "2 minuty i 5 sekund", "5 minut"]);
  assert.deepEqual(said["ja"], ["1秒", "1分", "1分40秒", "2分5秒", "5分"]);
  assert.deepEqual(said["fr"]?.slice(0, 3), ["1 seconde", "1 minute", "1 minute et 40 secondes"]);
});

test("no duration is negative", () => {
  for (const seconds of [0, -1, -3600, -0.5]) assert.equal(duration(seconds, english, "en"), "0 seconds");
  assert.equal(duration(0.2, english, "en"), "1 second");
});

test("a tag finds its language, or English", async () => {
  for (const [wanted, found] of [["pt-BR", "pt"], ["zh-Hans-CN", "zh"], ["DE", "de"], ["de-AT", "de"], ["xx", "en"], ["", "en"], ["constructor", "en"], ["en-GB", "en"]] as const) {
    assert.equal((await findLanguage(wanted)).tag, found, wanted);
  }
});

test("languages can be added and replaced", async () => {
  assert.equal((await findLanguage("sv-SE")).tag, "en");
  addLanguage("sv", { ...english, title: "Din session går snart ut" });
  assert.deepEqual([(await findLanguage("sv-SE")).tag, (await findLanguage("sv-SE")).messages.title], ["sv", "Din session går snart ut"]);
  addLanguage("de-CH", { ...english, close: "Schliessen" });
  assert.equal((await findLanguage("de-CH")).messages.close, "Schliessen");
  assert.equal((await findLanguage("de-AT")).messages.close, "Schließen");
});
