// A file of rows: choosing it and its column, asking, the table of answers, and its download.

import { Asking } from "./asking.js";
import { answers } from "./batch.js";
import { likelyColumn } from "./columns.js";
import { csv, jsonLines } from "./csv.js";
import { element, field } from "./dom.js";
import { dropZone } from "./drop.js";
import { count, duration, whole } from "./numbers.js";
import { answerTable } from "./answertable.js";
import { kindOfFile, readTable } from "./table.js";

/** A section that opens. `how` is what `rows` of a kind gives, `values()` the form's values. */
export function rowsbox(model, how, values) {
  const error = element("p", { class: "error", role: "alert" });
  const about = element("p", { class: "hint", role: "status" });
  const column = element("select");
  const header = element("input", { type: "checkbox", checked: true, change: () => read() });
  const headerRow = element("label", { class: "check" }, header, "The first row has the names");
  const start = element("button", { type: "button", class: "primary", click: () => ask() });
  const stop = element("button", { type: "button", hidden: true, click: () => controller.abort() }, "Stop");
  const progress = element("progress", { hidden: true, "aria-label": "Rows answered" });
  const result = element("div", { class: "result" });
  const choice = element(
    "div",
    { class: "chosen", hidden: true },
    about,
    field("Column", column),
    headerRow,
    element("div", { class: "actions" }, start, stop, progress),
  );
  let file = null;
  let table = null;
  let controller = null;

  async function read() {
    error.textContent = "";
    result.replaceChildren();
    try {
      table = await readTable(file, header.checked);
    } catch (reason) {
      table = null;
      choice.hidden = true;
      error.textContent = reason.message;
      return;
    }
    const { columns, rows, remark } = table;
    column.replaceChildren(...columns.map((name) => element("option", { value: name }, name)));
    column.value = likelyColumn(table, how.input, model.manifest.input_column);
    headerRow.hidden = kindOfFile(file.name) !== "table";
    column.closest(".field").hidden = columns.length < 2;
    const size = `${count(rows.length, "row")}${columns.length > 1 ? `, ${columns.length} columns` : ""}`;
    about.textContent = [`${file.name}: ${size}`, remark].filter(Boolean).join("; ");
    start.textContent = `Answer ${count(rows.length, "row")}`;
    choice.hidden = false;
  }

  async function ask() {
    controller = new AbortController();
    const { signal } = controller;
    const asked = { file, table }; // another file may be chosen meanwhile
    const { rows } = table;
    const texts = rows.map((row) => asText(row[column.value]));
    const shown = answerTable(column.value);
    busy(true, texts.length);
    error.textContent = "";
    result.replaceChildren(shown.element);
    const begin = performance.now();
    const found = [];
    try {
      const { [how.input]: _, ...options } = await values();
      const asking = new Asking(signal);
      const predict = async (some) => {
        const instances = some.map((text) => how.row(text, options));
        const predicted = await model.predict(instances, how.signature, asking);
        return predicted.map((outputs) => how.outputs(outputs));
      };
      for await (const some of answers(texts, predict, { most: how.most, signal })) {
        if (file !== asked.file) return;
        shown.add(some.map((answer, i) => ({ text: texts[found.length + i], ...answer })));
        found.push(...some);
        progress.value = found.length;
        about.textContent = `${whole(found.length)} of ${count(texts.length, "row")} answered`;
      }
    } catch (reason) {
      if (!signal.aborted) error.textContent = reason.message;
    }
    if (file !== asked.file) return;
    busy(false);
    const failed = found.filter((answer) => "error" in answer).length;
    const refused = failed ? `, ${whole(failed)} of them refused` : "";
    about.textContent = `${whole(found.length)} of ${count(texts.length, "row")} in ${duration(performance.now() - begin)}${refused}`;
    if (found.length) result.append(downloads(asked.file.name, asked.table, found));
  }

  function busy(on, rows = 0) {
    start.disabled = on;
    header.disabled = on; // it reads the file anew
    stop.hidden = !on;
    progress.hidden = !on;
    progress.max = rows || 1;
    progress.value = 0;
    result.setAttribute("aria-busy", String(on));
  }

  const zone = dropZone({
    bold: "Choose a file",
    words: " or drop one here: .txt, .csv, .tsv, .jsonl",
    accept: ".txt,.csv,.tsv,.tab,.jsonl,.ndjson,.json,text/*",
    choose(chosen) {
      controller?.abort();
      busy(false);
      file = chosen;
      header.checked = true;
      read();
    },
  });
  const hint = "The browser reads the file and asks some rows at a time; the options are those of the form above.";
  return element(
    "details",
    { class: "tool" },
    element("summary", {}, "A file of rows"),
    element("p", { class: "hint" }, hint),
    zone,
    error,
    choice,
    result,
  );
}

function asText(value) {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

let made = []; // addresses of downloads, which hold their content until they are given up

/** Links to what was answered, with the columns of the file before the answers. */
function downloads(name, { columns: own, rows }, found) {
  made.forEach((url) => URL.revokeObjectURL(url));
  made = [];
  const all = found.map((answer, i) => ({ ...rows[i], ...renamed(answer, rows[i]) }));
  const columns = [...new Set([...own, ...all.flatMap(Object.keys)])];
  const stem = name.replace(/\.[^.]*$/, "");
  const link = (label, ending, text) => {
    const href = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
    made.push(href);
    return element("a", { class: "button", href, download: `${stem}-answers.${ending}` }, label);
  };
  return element(
    "div",
    { class: "downloads" },
    link("Download CSV", "csv", csv(columns, all)),
    link("Download JSON lines", "jsonl", jsonLines(all)),
    element("p", { class: "hint" }, "In the CSV, a ' stands before texts that a spreadsheet would take for formulas."),
  );
}

/** The outputs, those with the name of a column of the file as `answer_<name>`. */
function renamed({ outputs, error }, row) {
  const named = outputs ?? { error };
  return Object.fromEntries(
    Object.entries(named).map(([key, value]) => [key in row ? `answer_${key}` : key, value]),
  );
}
