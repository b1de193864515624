"""What is wrong with a recording: limits and messages, shared by the readers and the graph."""

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 4_000, 192_000
SHORTEST_MS = 10
LONGEST_SECONDS = 30.0
# Sizes that a writer leaves in the header if it cannot seek back: 0, or from here on.
STREAMED_BYTES = 0x7FFF_F000

EMPTY = "the file is empty"
UNKNOWN = "no audio that can be read, unknown or damaged; save it as WAV (16-bit PCM)"
CUT_OFF = "cut off, {} bytes are missing; record it again"
NO_LAYOUT = "the WAV file has no complete 'fmt ' chunk; save it again"
NO_CHANNELS = "the WAV file has no channels; save it again"
NO_DATA = "the WAV file has no 'data' chunk; save it again"
ENCODING = "WAV encoding {} with {} bits is not supported; save it as WAV (16-bit PCM)"
RATE = (
    "the sample rate of {} Hz is not "
    f"from {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz; convert it to 16000 Hz"
)
NO_SAMPLES = "empty, it has 0 samples; record it again"
TOO_SHORT = f"too short, {{}} samples ({{}} ms), {SHORTEST_MS} ms are the least"
NOT_FINITE = "contains NaN or infinite samples; save it again"
TOO_LONG = (
    f"{{}} s long, the limit is {LONGEST_SECONDS:g} s; "
    "`textapps speech listen` hears commands in long recordings"
)
