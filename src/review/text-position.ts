/** Line and column of an offset that only ever goes forward. Both count from 1; a column is in UTF-16 code units. */
export class TextPosition {
  line = 1;
  column = 1;
  /** Offset of the byte that stands at line and column. */
  offset = 0;

  /** Goes on to offset `to`; `text` holds the bytes from offset `from`, which is not behind {@link offset}. */
  advance(text: Uint8Array, from: number, to: number): void {
    for (let index = this.offset - from; index < to - from; index++) {
      const byte = text[index] ?? 0;
      if (byte === 10) {
        this.line += 1;
        this.column = 1;
      } else if ((byte & 0xc0) !== 0x80) this.column += byte >= 0xf0 ? 2 : 1;
    }
    this.offset = Math.max(this.offset, to);
  }
}
