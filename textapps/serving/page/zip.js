// ZIP files without compression (PKWARE's APPNOTE, sections 4.3.7 to 4.3.16).

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const VERSION = 20;
const UTF8 = 0x0800; // flag: names are UTF-8
const DAY = 0x21; // 1 January 1980: files have no date of their own here

const CRC = Uint32Array.from({ length: 256 }, (_, i) => {
  let value = i;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** The parts of an archive, for a Blob; `files` are `[name, bytes]`. */
export function zipParts(files) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const [path, bytes] of files) {
    const name = new TextEncoder().encode(path);
    const size = [bytes.length, 4];
    const how = [[VERSION, 2], [UTF8, 2], [0, 2], [0, 2], [DAY, 2]]; // stored, at midnight
    const shared = [...how, [crc32(bytes), 4], size, size, [name.length, 2], [0, 2]];
    const local = record([[LOCAL, 4], ...shared]);
    const rest = [[0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]];
    directory.push(record([[CENTRAL, 4], [VERSION, 2], ...shared, ...rest]), name);
    parts.push(local, name, bytes);
    offset += local.length + name.length + bytes.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const count = [files.length, 2];
  const end = record([[END, 4], [0, 2], [0, 2], count, count, [size, 4], [offset, 4], [0, 2]]);
  return [...parts, ...directory, end];
}

/** Numbers, little-endian, each in so many bytes. */
function record(fields) {
  const bytes = fields.flatMap(([value, size]) => Array.from({ length: size }, (_, i) => (value >>> (8 * i)) & 0xff));
  return Uint8Array.from(bytes);
}

function crc32(bytes) {
  let value = ~0;
  for (const byte of bytes) value = CRC[(value ^ byte) & 0xff] ^ (value >>> 8);
  return ~value >>> 0;
}
