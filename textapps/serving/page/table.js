// Reading a file of rows: lines of text, CSV and its relatives, JSON lines.

import { parse } from "./json.js";
import { count } from "./numbers.js";

const MOST_BYTES = 50_000_000;
const DELIMITERS = [",", ";", "\t", "|"];

/**
 * The rows of a file: `{ columns, rows, remark }`, each row by column. `header` says whether the
 * first line of a table has the names. Throws an Error in words.
 */
export async function readTable(file, header = true) {
  if (file.size > MOST_BYTES) {
    throw new Error(`“${file.name}” is larger than 50 MB: use textapps predict --input for it.`);
  }
  const text = decode(await file.arrayBuffer(), file.name);
  const kind = kindOfFile(file.name);
  const table = kind === "json" ? fromJson(text) : kind === "table" ? fromCsv(text, file.name, header) : fromLines(text);
  if (!table.rows.length) throw new Error(`“${file.name}” has no rows.`);
  return table;
}

/** "table", "json" or "lines", by the ending of a name. */
export function kindOfFile(name) {
  if (/\.(csv|tsv|tab)$/i.test(name)) return "table";
  return /\.(jsonl|ndjson|json)$/i.test(name) ? "json" : "lines";
}

function decode(bytes, name) {
  const [first, second] = new Uint8Array(bytes.slice(0, 2));
  const wide = first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : null;
  try {
    return new TextDecoder(wide ?? "utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`“${name}” is not UTF-8: save it as UTF-8 and choose it again.`);
  }
}

function fromLines(text) {
  const lines = text.split(/\r\n|\n|\r/);
  const rows = lines.filter((line) => line.trim()).map((line) => ({ text: line }));
  const empty = lines.length - rows.length - (lines.at(-1) === "" ? 1 : 0);
  const remark = empty ? `${count(empty, "empty line")} left out` : "";
  return { columns: ["text"], rows, remark };
}

function fromJson(text) {
  const values = jsonValues(text);
  const rows = values.map(({ value, line }) => {
    if (typeof value === "string") return { text: value };
    if (value === null || typeof value !== "object" || Array.isArray(value)) {
      throw new Error(`Line ${line} is neither an object nor a text.`);
    }
    return value;
  });
  return { columns: [...new Set(rows.flatMap(Object.keys))], rows, remark: "" };
}

/** Of an array, or one a line. */
function jsonValues(text) {
  if (text.trimStart()[0] === "[") {
    try {
      return parse(text).map((value, i) => ({ value, line: i + 1 }));
    } catch (error) {
      throw new Error(`The file is not JSON: ${error.message}`);
    }
  }
  return text.split("\n").flatMap((line, i) => {
    if (!line.trim()) return [];
    try {
      return [{ value: parse(line), line: i + 1 }];
    } catch (error) {
      throw new Error(`Line ${i + 1} is not JSON: ${error.message}`);
    }
  });
}

function fromCsv(text, name, header) {
  const delimiter = /\.(tsv|tab)$/i.test(name) ? "\t" : delimiterOf(text);
  const records = csvRecords(text, delimiter);
  if (!records.length) return { columns: [], rows: [], remark: "" };
  const width = records[0].length;
  const columns = header ? unique(records[0]) : records[0].map((_, i) => `column ${i + 1}`);
  const rows = records.slice(header ? 1 : 0).map((cells, i) => {
    if (cells.length !== width) {
      const number = i + (header ? 2 : 1);
      throw new Error(`Row ${number} has ${cells.length} cells, the first row ${width}: is a quotation mark missing?`);
    }
    return Object.fromEntries(cells.map((cell, c) => [columns[c], cell]));
  });
  return { columns, rows, remark: "" };
}

/** Names that occur once: a repeated one gets its column's number. */
function unique(names) {
  return names.map((name, i) => (name && names.indexOf(name) === i ? name : `${name || "column"} ${i + 1}`));
}

/** The one that divides the first line most often. */
function delimiterOf(text) {
  const [line] = text.split(/\r\n|\n|\r/, 1);
  const counts = DELIMITERS.map((delimiter) => line.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))];
}

/** The cells of each record (RFC 4180), those of blank lines left out. */
export function csvRecords(text, delimiter) {
  const records = [];
  let cells = [];
  let at = 0;
  const end = () => {
    if (cells.length > 1 || cells[0]) records.push(cells);
    cells = [];
  };
  while (at < text.length) {
    let cell = "";
    if (text[at] === '"') {
      for (;;) {
        const close = text.indexOf('"', at + 1);
        if (close < 0) throw new Error(`The quotation mark in row ${records.length + 1} is never closed.`);
        cell += text.slice(at + 1, close);
        at = close + 1;
        if (text[at] !== '"') break;
        cell += '"';
      }
    }
    const from = at;
    while (at < text.length && text[at] !== delimiter && text[at] !== "\n" && text[at] !== "\r") at += 1;
    cells.push(cell + text.slice(from, at));
    if (text[at] === delimiter) {
      at += 1;
      if (at === text.length) cells.push("");
      continue;
    }
    if (text[at] === "\r" && text[at + 1] === "\n") at += 1;
    at += 1;
    end();
  }
  if (cells.length) end();
  return records;
}
