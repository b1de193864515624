// The Fourier transform of Cooley and Tukey, radix 2, and a spectrogram made of it.

/** In place: `real` and `imaginary` are Float64Arrays of the same length, a power of two. */
export function fft(real, imaginary) {
  const size = real.length;
  for (let i = 1, j = 0; i < size; i += 1) {
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [real[i], real[j]] = [real[j], real[i]];
      [imaginary[i], imaginary[j]] = [imaginary[j], imaginary[i]];
    }
  }
  for (let half = 1; half < size; half *= 2) {
    for (let k = 0; k < half; k += 1) {
      const cosine = Math.cos((Math.PI * k) / half);
      const sine = -Math.sin((Math.PI * k) / half);
      for (let i = k; i < size; i += 2 * half) {
        const j = i + half;
        const re = cosine * real[j] - sine * imaginary[j];
        const im = cosine * imaginary[j] + sine * real[j];
        real[j] = real[i] - re;
        imaginary[j] = imaginary[i] - im;
        real[i] += re;
        imaginary[i] += im;
      }
    }
  }
}

/**
 * Decibels of samples under Hann windows of `size` samples, `hop` apart: a Float32Array of
 * `frames` × `bins`, where bin b is the frequency b · rate / size.
 */
export function spectrogram(samples, size, hop) {
  const bins = size / 2;
  const frames = Math.max(1, 1 + Math.floor((samples.length - size) / hop));
  const decibels = new Float32Array(frames * bins);
  const hann = Float64Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));
  const real = new Float64Array(size);
  const imaginary = new Float64Array(size);
  for (let frame = 0; frame < frames; frame += 1) {
    for (let i = 0; i < size; i += 1) real[i] = hann[i] * (samples[frame * hop + i] ?? 0);
    imaginary.fill(0);
    fft(real, imaginary);
    for (let b = 0; b < bins; b += 1) {
      const power = real[b] ** 2 + imaginary[b] ** 2;
      decibels[frame * bins + b] = 10 * Math.log10(power + 1e-10);
    }
  }
  return { decibels, frames, bins };
}
