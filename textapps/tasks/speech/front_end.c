/* The front end of the model: 16-bit samples of one clip to its inputs, in C99 with floats.
 *
 * For each frame, as docs/speech.md describes:
 * 1) a window of samples, divided by 32768 and weighted by the Hann window;
 * 2) the energies |X|^2 of its discrete Fourier transform, padded with zeros to FRONT_END_FFT_SIZE;
 * 3) the sum of the energies in each mel band, with triangular weights;
 * 4) log(energy + FRONT_END_FLOOR), minus the band's mean, times its inverse deviation;
 * 5) divided by the scale of the model's inputs, rounded, plus their zero point, and clamped.
 */
#define FRONT_END_TABLES
#include "front_end.h"

#include <math.h>

/* The discrete Fourier transform in place, radix 2 (Cooley and Tukey 1965). */
static void transform(float *real, float *imaginary) {
  for (int i = 1, j = 0; i < FRONT_END_FFT_SIZE; i++) {
    int bit = FRONT_END_FFT_SIZE >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j |= bit;
    if (i < j) {
      float swapped = real[i];
      real[i] = real[j];
      real[j] = swapped;
      swapped = imaginary[i];
      imaginary[i] = imaginary[j];
      imaginary[j] = swapped;
    }
  }
  for (int size = 2; size <= FRONT_END_FFT_SIZE; size <<= 1) {
    const int half = size / 2, step = FRONT_END_FFT_SIZE / size;
    for (int start = 0; start < FRONT_END_FFT_SIZE; start += size) {
      for (int k = 0; k < half; k++) {
        const float c = front_end_cosines[k * step], s = front_end_sines[k * step];
        const int a = start + k, b = a + half;
        const float re = real[b] * c + imaginary[b] * s;
        const float im = imaginary[b] * c - real[b] * s;
        real[b] = real[a] - re;
        imaginary[b] = imaginary[a] - im;
        real[a] += re;
        imaginary[a] += im;
      }
    }
  }
}

void front_end_frame(const int16_t *samples, int8_t *features) {
  static float real[FRONT_END_FFT_SIZE], imaginary[FRONT_END_FFT_SIZE];
  for (int i = 0; i < FRONT_END_FFT_SIZE; i++) {
    real[i] = i < FRONT_END_WINDOW_SAMPLES ? samples[i] / 32768.0f * front_end_window[i] : 0.0f;
    imaginary[i] = 0.0f;
  }
  transform(real, imaginary);
  const float *weights = front_end_band_weights;
  for (int band = 0; band < FRONT_END_BANDS; band++) {
    float energy = 0.0f;
    const int first = front_end_band_first[band];
    for (int bin = first; bin < first + front_end_band_size[band]; bin++) {
      energy += *weights++ * (real[bin] * real[bin] + imaginary[bin] * imaginary[bin]);
    }
    float value = logf(energy + FRONT_END_FLOOR) - front_end_mean[band];
    value = value * front_end_inverse_deviation[band] / FRONT_END_INPUT_SCALE;
    value = rintf(value) + FRONT_END_INPUT_ZERO_POINT;
    features[band] = (int8_t)(value < -128.0f ? -128.0f : value > 127.0f ? 127.0f : value);
  }
}

void front_end_clip(const int16_t *samples, int8_t *features) {
  for (int frame = 0; frame < FRONT_END_FRAMES; frame++) {
    front_end_frame(samples + frame * FRONT_END_HOP_SAMPLES, features + frame * FRONT_END_BANDS);
  }
}
