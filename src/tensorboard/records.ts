// The frame of an event file's records, TFRecord: length (uint64), checksum of the length, bytes, checksum of the bytes.
// Checksums are CRC-32C, rotated and shifted, because the checksum of what holds its own checksum says little.
const POLYNOMIAL = 0x82f63b78;
const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? POLYNOMIAL : 0);
  return value;
});

/** CRC-32C (Castagnoli) of bytes. */
export function crc32c(bytes: Uint8Array): number {
  let crc = ~0;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]) & 0xff];
  return ~crc >>> 0;
}

/** The checksum as records have it. */
export function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Bytes in front of a record's content. */
export const HEADER = 12;
/** Bytes behind it. */
export const FOOTER = 4;

/** Content in its frame. */
export function frame(content: Uint8Array): Uint8Array {
  const record = new Uint8Array(HEADER + content.length + FOOTER);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(content.length), true);
  view.setUint32(8, maskedCrc(record.subarray(0, 8)), true);
  record.set(content, HEADER);
  view.setUint32(HEADER + content.length, maskedCrc(content), true);
  return record;
}
