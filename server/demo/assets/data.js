// What the session holds, member by member, and the note.

import { $, el, fill } from "./dom.js";
import { toast } from "./toast.js";

const writable = new Set(["cart", "note"]);

let app;
let data = {};
let editing; // the member whose row is a form now
let dirty = false; // the note was typed into and not kept yet

export function start(with_) {
  app = with_;
  $("note").addEventListener("input", () => (dirty = true));
  $("note-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = $("note").value;
    void app.act($("note-save"), async () => {
      if (app.state.status.state === "active") await app.session.set("note", text);
      else {
        await app.begin();
        await app.api.keepNote(text);
      }
      dirty = false;
      toast("Kept.");
    });
  });
}

export function show(state) {
  data = state.data;
  // Never take words from under the fingers of somebody who is writing.
  if (!dirty) $("note").value = typeof data.note === "string" ? data.note : "";
  const tag = $("revision");
  tag.hidden = state.status.state !== "active";
  tag.textContent = `revision ${state.status.rev ?? 0}`;
  if (editing && (editing in data) && $("members").querySelector("form")) return; // the same, for a row
  editing = undefined;
  rows();
}

function rows() {
  const keys = Object.keys(data).sort();
  fill($("members"), keys.map((key) => (key === editing ? form(key) : row(key))));
  $("members").closest(".table-frame").hidden = !keys.length;
  $("members-empty").hidden = keys.length > 0;
}

function row(key) {
  const tools = writable.has(key)
    ? el(
        "div",
        { class: "actions" },
        el("button", { type: "button", class: "button quiet small", "data-key": `edit-${key}`, "data-testid": `edit-${key}`, "aria-label": `Edit ${key}`, onclick: () => edit(key) }, "Edit"),
        el("button", { type: "button", class: "button quiet small", "data-key": `delete-${key}`, "data-testid": `delete-${key}`, "aria-label": `Delete ${key}`, onclick: (e) => app.act(e.currentTarget, () => remove(key)) }, "Delete"),
      )
    : "";
  return el(
    "tr",
    { "data-testid": `member-${key}` },
    el("td", {}, el("code", {}, key), el("small", {}, writable.has(key) ? "browser may write" : "server only")),
    el("td", {}, el("code", { class: "json-value", "data-testid": `value-${key}` }, JSON.stringify(data[key]))),
    el("td", {}, tools),
  );
}

async function remove(key) {
  if (key === "note") dirty = false;
  await app.session.delete(key);
}

function edit(key) {
  editing = key;
  rows();
  $("members").querySelector("textarea").focus();
}

function done() {
  const key = editing;
  editing = undefined;
  rows();
  $("members").querySelector(`[data-key="edit-${key}"]`)?.focus();
}

function form(key) {
  const text = el("textarea", { class: "json", rows: "3", "aria-label": `JSON of ${key}`, "data-testid": `json-${key}`, spellcheck: "false" });
  text.value = JSON.stringify(data[key], null, 1);
  const wrong = el("p", { class: "problem", role: "alert" });
  const save = (event) => {
    event.preventDefault();
    let value;
    try {
      value = JSON.parse(text.value);
    } catch {
      text.setAttribute("aria-invalid", "true");
      wrong.textContent = "This is not JSON. Texts need quotation marks.";
      text.focus();
      return;
    }
    void app.act(event.submitter, async () => {
      await app.session.set(key, value);
      if (key === "note") dirty = false;
      done();
    });
  };
  return el(
    "tr",
    {},
    el("td", {}, el("code", {}, key)),
    el(
      "td",
      { colspan: "2" },
      el(
        "form",
        { class: "note", onsubmit: save },
        text,
        wrong,
        el("div", { class: "actions" }, el("button", { class: "button small", "data-testid": `save-${key}` }, "Save"), el("button", { type: "button", class: "button quiet small", onclick: done }, "Cancel")),
      ),
    ),
  );
}
