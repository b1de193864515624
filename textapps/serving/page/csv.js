// Writing rows as CSV and as JSON lines.

import { compact } from "./json.js";

// What makes a spreadsheet take a cell for a formula, the wide forms of East Asian keyboards too.
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
const NUMBER = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i;

/** CSV (RFC 4180). A text that a spreadsheet would take for a formula begins with '. */
export function csv(columns, rows) {
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))];
  return `${lines.map((cells) => cells.map(cell).join(",")).join("\r\n")}\r\n`;
}

/** One object a line. */
export function jsonLines(rows) {
  return rows.map((row) => `${compact(row)}\n`).join("");
}

function cell(value) {
  const text = guarded(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function guarded(value) {
  if (value === null || value === undefined) return "";
  const text = typeof value === "object" ? compact(value) : String(value);
  return typeof value === "string" && FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
}
