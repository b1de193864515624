// A request as code that can be pasted and run.

import { pretty } from "./json.js";

const VARIABLE = "TEXTAPPS_SERVE_TOKEN"; // never the token itself

/**
 * A request in several languages: name → code.
 *
 * `body` is an object, or JSON as a text; `streamed` says that server-sent events come back, and
 * `locked` that the server wants a token. `clip` stands for the bytes of the file clip.wav.
 */
export function code({ url, body, streamed = false, clip = false, locked = false }) {
  const request = { url, body, streamed, clip, locked };
  return { curl: curl(request), Python: python(request), JavaScript: javascript(request) };
}

function curl({ url, body, streamed, clip, locked }) {
  const parts = [streamed ? `curl --no-buffer ${quoted(url)}` : `curl ${quoted(url)}`];
  if (locked) parts.push(`-H "Authorization: Bearer $${VARIABLE}"`);
  if (!clip) return [...parts, `-d ${quoted(text(body))}`].join(" \\\n  ");
  const made = `printf '{"instances": [{"audio_bytes": {"b64": "%s"}}]}' "$(base64 < clip.wav | tr -d '\\n')"`;
  return `${made} \\\n  | ${[...parts, "-d @-"].join(" \\\n    ")}`;
}

/** Quoted for a POSIX shell. */
function quoted(words) {
  return `'${words.replaceAll("'", "'\\''")}'`;
}

function text(body) {
  return typeof body === "string" ? body : pretty(body);
}

function python({ url, body, streamed, clip, locked }) {
  const given = typeof body === "string" ? `${JSON.stringify(body)}` : literal(body);
  const bytes = typeof body === "string" && !clip ? "body.encode()" : "json.dumps(body).encode()";
  const headers = [
    '"Content-Type": "application/json"',
    ...(locked ? [`"Authorization": "Bearer " + os.environ["${VARIABLE}"]`] : []),
  ];
  const lines = [
    ...(clip ? ["import base64"] : []),
    "import json",
    ...(locked ? ["import os"] : []),
    "import urllib.request",
    "",
    ...(clip
      ? [
          'with open("clip.wav", "rb") as file:',
          "    clip = base64.b64encode(file.read()).decode()",
          'body = {"instances": [{"audio_bytes": {"b64": clip}}]}',
        ]
      : [`body = ${given}`]),
    `headers = {${headers.join(", ")}}`,
    "request = urllib.request.Request(",
    `    ${JSON.stringify(url)}, ${bytes}, headers`,
    ")",
    "with urllib.request.urlopen(request) as response:",
  ];
  const reads = streamed
    ? [
        "    for line in response:",
        '        if line.startswith(b"data: "):',
        "            event = json.loads(line[6:])",
        '            if "error" in event:',
        '                raise RuntimeError(event["error"])',
        '            print(event.get("text", ""), end="", flush=True)',
      ]
    : ["    print(json.load(response))"];
  return [...lines, ...reads].join("\n");
}

/** A value as Python writes it, whose strings may be written as those of JSON. */
function literal(value, indent = "") {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return pretty(value);
  const inner = `${indent}    `;
  const parts = Array.isArray(value)
    ? value.map((item) => literal(item, inner))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${literal(item, inner)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const line = `${open}${parts.join(", ")}${close}`;
  if (line.length <= 80 && !line.includes("\n")) return line;
  return `${open}\n${inner}${parts.join(`,\n${inner}`)},\n${indent}${close}`;
}

function javascript({ url, body, streamed, clip, locked }) {
  const given = typeof body === "string" ? JSON.stringify(body) : `JSON.stringify(${pretty(body, "  ")})`;
  const token = `, authorization: \`Bearer \${process.env.${VARIABLE}}\``;
  const lines = [
    ...(clip
      ? [
          'import { readFileSync } from "node:fs";',
          "",
          'const clip = readFileSync("clip.wav", "base64");',
        ]
      : []),
    `const response = await fetch(${JSON.stringify(url)}, {`,
    '  method: "POST",',
    `  headers: { "content-type": "application/json"${locked ? token : ""} },`,
    clip
      ? '  body: JSON.stringify({ instances: [{ audio_bytes: { b64: clip } }] }),'
      : `  body: ${given},`,
    "});",
    "if (!response.ok) throw new Error(await response.text());",
  ];
  const reads = streamed
    ? [
        'let rest = "";',
        "const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();",
        "for (let part = await reader.read(); !part.done; part = await reader.read()) {",
        '  const lines = (rest + part.value).split("\\n");',
        "  rest = lines.pop();",
        "  for (const line of lines) {",
        '    if (!line.startsWith("data: ")) continue;',
        "    const event = JSON.parse(line.slice(6));",
        '    if (event.error) throw new Error(event.error);',
        '    process.stdout.write(event.text ?? "");',
        "  }",
        "}",
      ]
    : ["console.log(await response.json());"];
  return [...lines, ...reads].join("\n");
}
