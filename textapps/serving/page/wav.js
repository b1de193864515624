// Sound as WAV files.

const HEADER_BYTES = 44;

/** Mono samples in -1 … 1 as a RIFF file of 16-bit PCM. */
export function wavBytes(samples, rate_hz) {
  const bytes = new Uint8Array(HEADER_BYTES + 2 * samples.length);
  const view = new DataView(bytes.buffer);
  const name = (offset, text) => bytes.set(new TextEncoder().encode(text), offset);
  name(0, "RIFF");
  view.setUint32(4, bytes.length - 8, true);
  name(8, "WAVEfmt ");
  view.setUint32(16, 16, true); // bytes of the format
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, rate_hz, true);
  view.setUint32(28, 2 * rate_hz, true); // bytes a second
  view.setUint16(32, 2, true); // bytes of a frame
  view.setUint16(34, 16, true); // bits of a sample
  name(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, i) => {
    const clipped = Math.max(-1, Math.min(1, sample));
    view.setInt16(HEADER_BYTES + 2 * i, Math.round(clipped < 0 ? clipped * 32768 : clipped * 32767), true);
  });
  return bytes;
}

/** Bytes in base64, as JSON carries them. */
export function base64(bytes) {
  const pieces = [];
  for (let i = 0; i < bytes.length; i += 8190) {
    pieces.push(btoa(String.fromCharCode(...bytes.subarray(i, i + 8190)))); // a multiple of 3
  }
  return pieces.join("");
}

/** The bytes of a text in base64. */
export function bytesOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
