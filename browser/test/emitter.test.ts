import assert from "node:assert/strict";
import { test } from "node:test";
import { createEmitter } from "../src/emitter.ts";

interface Events {
  word: string;
  number: number;
}

test("listeners hear their event, in order, until stopped", () => {
  const emitter = createEmitter<Events>(assert.ifError);
  const heard: string[] = [];
  const listen = (word: string) => heard.push(word);
  const stop = emitter.on("word", listen);
  emitter.on("word", listen);
  emitter.on("number", (n) => heard.push(String(n)));
  emitter.emit("word", "a");
  stop();
  stop();
  emitter.emit("word", "b");
  emitter.emit("number", 1);
  assert.deepEqual(heard, ["a", "a", "b", "1"]);
});

test("a listener that throws silences nobody", () => {
  const reports: unknown[] = [];
  const emitter = createEmitter<Events>((error) => reports.push(error));
  const heard: string[] = [];
  const failure = new Error("mine");
  emitter.on("word", () => {
    throw failure;
  });
  emitter.on("word", (word) => heard.push(word));
  emitter.emit("word", "a");
  assert.deepEqual(heard, ["a"]);
  assert.deepEqual(reports, [failure]);
});

test("a listener added or removed while an event runs changes the next one", () => {
  const emitter = createEmitter<Events>(assert.ifError);
  const heard: string[] = [];
  emitter.on("word", () => {
    stop();
    emitter.on("word", () => heard.push("new"));
  });
  const stop = emitter.on("word", () => heard.push("old"));
  emitter.emit("word", "a");
  assert.deepEqual(heard, ["old"]);
  emitter.emit("word", "b");
  assert.deepEqual(heard, ["old", "new"]);
});
