// The waveform and the spectrogram of a clip, with time to the right.

import { element } from "./dom.js";
import { spectrogram } from "./fft.js";

const WINDOW_S = 0.032;
const HOP_S = 0.008;
const MOST_COLUMNS = 1600;
const RANGE_DB = 70; // below the loudest value, where colours begin

// From silence to loud: dark, then through violet and orange to light.
const RAMP = [
  [13, 12, 24],
  [62, 24, 104],
  [148, 38, 122],
  [226, 84, 84],
  [250, 162, 84],
  [252, 244, 200],
];

/** Both pictures of mono samples, with their axes. */
export function pictures(samples, rate_hz) {
  const seconds = samples.length / rate_hz;
  return element(
    "figure",
    { class: "pictures" },
    waveform(samples),
    picture(samples, rate_hz),
    element("span", { class: "axis high", "aria-hidden": "true" }, `${rate_hz / 2000} kHz`),
    element(
      "figcaption",
      {},
      element("span", {}, "0 s"),
      element("span", {}, `${seconds.toFixed(2)} s`),
    ),
  );
}

/** The waveform as one shape: the lowest and the highest sample in each column. */
export function waveform(samples) {
  const columns = Math.min(samples.length, 600);
  const upper = [];
  const lower = [];
  for (let x = 0; x < columns; x += 1) {
    const begin = Math.floor((x * samples.length) / columns);
    const end = Math.floor(((x + 1) * samples.length) / columns);
    let low = 0;
    let high = 0;
    for (let i = begin; i < end; i += 1) {
      low = Math.min(low, samples[i]);
      high = Math.max(high, samples[i]);
    }
    upper.push(`${x},${(-100 * high - 0.5).toFixed(1)}`);
    lower.unshift(`${x},${(-100 * low + 0.5).toFixed(1)}`);
  }
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "waveform");
  svg.setAttribute("viewBox", `0 -101 ${Math.max(1, columns - 1)} 202`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", "Waveform");
  const shape = document.createElementNS("http://www.w3.org/2000/svg", "polygon");
  shape.setAttribute("points", [...upper, ...lower].join(" "));
  svg.append(shape);
  return svg;
}

/** The spectrogram, from 0 to half the rate. */
export function picture(samples, rate_hz) {
  const size = 2 ** Math.round(Math.log2(WINDOW_S * rate_hz));
  const hop = Math.max(Math.round(HOP_S * rate_hz), Math.ceil(samples.length / MOST_COLUMNS));
  const { decibels, frames, bins } = spectrogram(samples, size, hop);
  const canvas = element("canvas", {
    class: "spectrogram",
    width: frames,
    height: bins,
    role: "img",
    "aria-label": "Spectrogram",
  });
  const context = canvas.getContext("2d");
  const image = context.createImageData(frames, bins);
  const loudest = decibels.reduce((a, b) => Math.max(a, b), -60);
  for (let x = 0; x < frames; x += 1) {
    for (let b = 0; b < bins; b += 1) {
      const level = 1 + (decibels[x * bins + b] - loudest) / RANGE_DB;
      image.data.set(colour(level), 4 * ((bins - 1 - b) * frames + x));
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** RGBA of a level, 0 the lowest and 1 the highest. */
function colour(level) {
  const place = Math.max(0, Math.min(0.9999, level)) * (RAMP.length - 1);
  const [below, above] = [RAMP[Math.floor(place)], RAMP[Math.floor(place) + 1]];
  const share = place % 1;
  return [...below.map((value, i) => value + share * (above[i] - value)), 255];
}
