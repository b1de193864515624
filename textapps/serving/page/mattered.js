// Which parts of the sound a label comes from, upon its spectrogram.

import { element } from "./dom.js";
import { picture } from "./pictures.js";
import { sample } from "./pointed.js";

const SMALLEST = 0.1; // of the largest effect, below which nothing is drawn
const SVG = "http://www.w3.org/2000/svg";

/** Show them in `place`, as the signature `explain` gives them. */
export async function showMattered(place, model, { samples, rate, audio_bytes }, asking) {
  const clip = { audio_bytes: { b64: audio_bytes } };
  const [found] = await model.predict([clip], "explain", asking);
  if (found.error) return;
  const seconds = samples.length / rate;
  place.replaceChildren(
    element("h3", {}, "Sounds that determined the label"),
    element(
      "figure",
      { class: "pictures mattered" },
      picture(samples, rate),
      overlay(found, seconds, rate / 2),
      element("figcaption", {}, element("span", {}, "0 s"), element("span", {}, `${seconds.toFixed(2)} s`)),
    ),
    element(
      "p",
      { class: "legend" },
      sample("for", "supports ", element("bdi", { class: "name" }, found.label)),
      sample("against", "opposes it"),
    ),
    element("p", { class: "hint" }, `${strongest(found)} Each part was replaced by the quiet background of the clip.`),
  );
}

/** The parts as rectangles over the picture: time to the right, frequency upwards. */
function overlay({ attributions, begin_ms, end_ms, low_hz, high_hz }, seconds, top_hz) {
  const largest = Math.max(...attributions.flat().map(Math.abs), Number.MIN_VALUE);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 100 100");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  attributions.forEach((column, t) => {
    column.forEach((effect, b) => {
      const weight = effect / largest;
      if (Math.abs(weight) < SMALLEST) return;
      const x = begin_ms[t] / 10 / seconds;
      const y = 100 - (100 * high_hz[b]) / top_hz;
      const rect = document.createElementNS(SVG, "rect");
      const place = { x, y, width: end_ms[t] / 10 / seconds - x, height: 100 - (100 * low_hz[b]) / top_hz - y };
      for (const [name, value] of Object.entries(place)) rect.setAttribute(name, value.toFixed(2));
      rect.setAttribute("class", weight > 0 ? "for" : "against");
      rect.style.setProperty("--weight", String(Math.abs(weight)));
      svg.append(rect);
    });
  });
  return svg;
}

function strongest({ attributions, begin_ms, end_ms, low_hz, high_hz }) {
  const all = attributions.flatMap((column, t) => column.map((effect, b) => ({ effect, t, b })));
  const { effect, t, b } = all.reduce((a, other) => (Math.abs(other.effect) > Math.abs(a.effect) ? other : a));
  if (!effect) return "No part alone determines the label.";
  const time = `${(begin_ms[t] / 1000).toFixed(2)} to ${(end_ms[t] / 1000).toFixed(2)} s`;
  return `The largest effect: ${time}, ${Math.round(low_hz[b])} to ${Math.round(high_hz[b])} Hz.`;
}
