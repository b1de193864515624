// JSON as the server reads and writes it: with NaN, Infinity, and whole numbers of any size.

const SHORT = 60; // characters of JSON that stay on one line
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?Infinity|NaN|-?\d[\d.eE+-]*/g;
const LARGE = /^-?\d{16,}$/; // JavaScript's numbers would round it
const MARK = `textapps-${Math.random()}-`; // begins no text of anybody else

/** The value. `exact` keeps whole numbers that JavaScript would round, as BigInt. */
export function parse(text, { exact = false } = {}) {
  if (!exact || !/\d{16}/.test(text)) {
    try {
      return JSON.parse(text);
    } catch {
      // It may hold what JSON has not.
    }
  }
  const marked = text.replace(TOKEN, (token) => {
    if (token[0] === '"') return token;
    const special = /[NI]/.test(token) || (exact && LARGE.test(token));
    return special ? `"${MARK}${token}"` : token;
  });
  return JSON.parse(marked, (_, value) => {
    if (typeof value !== "string" || !value.startsWith(MARK)) return value;
    const token = value.slice(MARK.length);
    return LARGE.test(token) ? BigInt(token) : Number(token);
  });
}

/** JSON on one line. */
export function compact(value) {
  const text = JSON.stringify(value, (_, one) => (isSpecial(one) ? `${MARK}${one}` : one));
  return text.replaceAll(new RegExp(`"${MARK}([^"]*)"`, "g"), "$1");
}

function isSpecial(value) {
  return typeof value === "bigint" || (typeof value === "number" && !Number.isFinite(value));
}

/** JSON with what is short on one line. */
export function pretty(value, indent = "") {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const inner = `${indent}  `;
  const parts = Array.isArray(value)
    ? value.map((item) => pretty(item, inner))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${pretty(item, inner)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const line = `${open}${parts.join(", ")}${close}`;
  if (line.length <= SHORT && !line.includes("\n")) return line;
  return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close}`;
}
